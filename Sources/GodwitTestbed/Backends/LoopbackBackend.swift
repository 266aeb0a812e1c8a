extension RealBackend {
    /// On this machine's loopback network; needs no rights.
    static func loopback(_ plan: ExperimentPlan, program: String? = nil) throws -> RealBackend {
        Leftovers.remove()
        return try RealBackend(plan, program: program, .userSpace(because: "all is one network")) {
            try LoopbackNetwork($0)
        }
    }
}
