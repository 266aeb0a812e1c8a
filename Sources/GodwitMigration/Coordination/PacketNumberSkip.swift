/// How many packet numbers to leave out after a thaw (Specs/server-migration.md 6.6.5).
///
/// If two copies of a connection send all the same, they shall not protect different packets with one number.
/// It is a second line of defence: nothing else relies on it.
public enum PacketNumberSkip {
    /// The least and the most that is left out.
    public static let range: ClosedRange<UInt64> = 1 << 16...1 << 20

    /// A number of the range, from fresh randomness.
    public static func draw(_ random: UInt64) -> UInt64 {
        let width = range.upperBound - range.lowerBound + 1
        return range.lowerBound + random.multipliedFullWidth(by: width).high
    }
}
