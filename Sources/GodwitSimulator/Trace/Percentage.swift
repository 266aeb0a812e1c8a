extension Double {
    /// A probability as `2.5 %`, to a hundredth.
    ///
    /// Rounding is done by conversion: `rounded()` would need the C library's mathematics linked, which
    /// nothing else here asks for.
    var percentText: String {
        let hundredths = Int(self * 10_000 + 0.5)
        let fraction = hundredths % 100
        let whole = "\(hundredths / 100)"
        if fraction == 0 { return "\(whole) %" }
        return fraction % 10 == 0
            ? "\(whole).\(fraction / 10) %" : "\(whole).\(fraction < 10 ? "0" : "")\(fraction) %"
    }
}
