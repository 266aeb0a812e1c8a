import GodwitWire

/// One value for each packet number space.
struct PerSpace<Value> {
    var initial: Value
    var handshake: Value
    var application: Value

    init(_ make: (PacketNumberSpace) -> Value) {
        initial = make(.initial)
        handshake = make(.handshake)
        application = make(.application)
    }

    subscript(space: PacketNumberSpace) -> Value {
        get {
            switch space {
            case .initial: initial
            case .handshake: handshake
            case .application: application
            }
        }
        _modify {
            switch space {
            case .initial: yield &initial
            case .handshake: yield &handshake
            case .application: yield &application
            }
        }
    }
}

extension PerSpace: Codable where Value: Codable {}
extension PerSpace: Sendable where Value: Sendable {}
