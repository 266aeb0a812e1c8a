/// A moment as fields have it, `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7), and the two older
/// forms that have to be understood.
enum HTTPTimestamp {
    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    // MARK: Writing

    /// - Parameter second: seconds since 1970.
    static func text(_ second: Int64) -> String {
        let date = CivilDate(second)
        let day = padded(date.day) + " " + months[Int(date.month) - 1] + " " + padded(date.year, 4)
        return weekdays[Int(date.weekday)] + ", " + day + " " + time(date) + " GMT"
    }

    /// As logs have it: `1994-11-06T08:49:37.000Z` (RFC 3339).
    static func internetText(_ second: Int64, milliseconds: Int64) -> String {
        let date = CivilDate(second)
        let day = padded(date.year, 4) + "-" + padded(date.month) + "-" + padded(date.day)
        return day + "T" + time(date) + "." + padded(milliseconds, 3) + "Z"
    }

    private static func time(_ date: CivilDate) -> String {
        padded(date.second / 3600) + ":" + padded(date.second / 60 % 60) + ":" + padded(date.second % 60)
    }

    private static func padded(_ number: Int64, _ width: Int = 2) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    // MARK: Reading

    /// Seconds since 1970; nil if the text is no date, and is to be ignored.
    static func parse(_ text: String) -> Int64? {
        let words = text.split(whereSeparator: { $0 == " " || $0 == "-" || $0 == "," })
        switch words.count {
        case 6 where words[5] == "GMT": return seconds(words[1], words[2], words[3], words[4])
        case 5: return seconds(words[2], words[1], words[4], words[3])
        default: return nil
        }
    }

    private static func seconds(
        _ day: Substring, _ month: Substring, _ year: Substring, _ time: Substring
    ) -> Int64? {
        guard let day = number(day, 1...31), let month = months.firstIndex(of: String(month)),
            let year = fullYear(year), let time = timeOfDay(time)
        else { return nil }
        let days = CivilDate.days(year: year, month: Int64(month + 1), day: day)
        return days * 86_400 + time
    }

    private static func timeOfDay(_ text: Substring) -> Int64? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        // A leap second is the second 60.
        guard parts.count == 3, let hour = number(parts[0], 0...23), let minute = number(parts[1], 0...59),
            let second = number(parts[2], 0...60)
        else { return nil }
        return hour * 3600 + minute * 60 + second
    }

    /// Two digits are the year of which this is the closer one. Nothing that is served was changed before
    /// 1970.
    private static func fullYear(_ text: Substring) -> Int64? {
        guard text.count == 2 || text.count == 4, let year = number(text, 0...9999) else { return nil }
        if text.count == 4 { return year }
        return year < 70 ? year + 2000 : year + 1900
    }

    private static func number(_ text: Substring, _ allowed: ClosedRange<Int64>) -> Int64? {
        guard text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let number = Int64(text) else { return nil }
        return allowed ~= number ? number : nil
    }
}

/// A day of the Gregorian calendar and a second in it.
struct CivilDate {
    var year: Int64
    var month: Int64
    var day: Int64
    /// From 0 for Sunday.
    var weekday: Int64
    /// Since midnight.
    var second: Int64

    /// - Parameter time: seconds since 1970.
    init(_ time: Int64) {
        let days = Self.floor(time, 86_400)
        second = time - days * 86_400
        weekday = days + 4 - Self.floor(days + 4, 7) * 7
        // Years that begin in March, so that the leap day is their last; in spans of 400, which are all
        // alike.
        let shifted = days + 719_468
        let era = Self.floor(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// How many days a date is after 1 January 1970.
    static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = floor(year, 400)
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func floor(_ number: Int64, _ divisor: Int64) -> Int64 {
        let quotient = number / divisor
        return number % divisor < 0 ? quotient - 1 : quotient
    }
}
