import GodwitWire
import Testing

@testable import GodwitCore

@Suite("The round-trip time (RFC 9002 section 5)")
struct RTTEstimatorTests {
    private func sample(
        _ estimator: inout RTTEstimator, _ rtt: Int64, delay: Int64 = 0, confirmed: Bool = true
    ) {
        estimator.addSample(
            ms(rtt), ackDelay: ms(delay), now: at(ms: 5000), handshakeConfirmed: confirmed,
            maxAckDelay: ms(25))
    }

    @Test("Before any sample, the first probe timeout is a second (RFC 9002 section 6.2.2)")
    func initialTimeout() {
        let estimator = RTTEstimator()
        #expect(!estimator.hasSample)
        #expect(estimator.ptoInterval(maxAckDelay: .zero) == ms(999))
    }

    // Holds: 9002-5.2-1
    @Test("The first sample replaces what was assumed (RFC 9002 section 5.3)")
    func firstSample() {
        var estimator = RTTEstimator()
        sample(&estimator, 100, delay: 20)
        #expect(estimator.latest == ms(100))
        #expect(estimator.minimum == ms(100))
        #expect(estimator.smoothed == ms(100))
        #expect(estimator.variation == ms(50))
        #expect(estimator.firstSampleTime == at(ms: 5000))
    }

    @Test("Later samples move the averages by an eighth and a quarter (RFC 9002 section 5.3)")
    func laterSamples() {
        var estimator = RTTEstimator()
        sample(&estimator, 100)
        sample(&estimator, 180)
        #expect(estimator.smoothed == ms(110))
        // 3/4 of 50 and 1/4 of the distance to the average before the sample.
        #expect(estimator.variation == .microseconds(57_500))
        #expect(estimator.minimum == ms(100))
    }

    // Holds: 9002-5.2-2
    @Test("The minimum follows samples down and never up (RFC 9002 section 5.2)")
    func minimumFallsOnly() {
        var estimator = RTTEstimator()
        sample(&estimator, 100)
        sample(&estimator, 90, delay: 20)
        #expect(estimator.minimum == ms(90))
        sample(&estimator, 300)
        #expect(estimator.minimum == ms(90))
    }

    // Holds: 9002-5.3-1
    @Test(
        "The ACK delay is taken off, once confirmed only up to max_ack_delay (RFC 9002 section 5.3)"
    )
    func ackDelay() {
        var confirmed = RTTEstimator()
        sample(&confirmed, 100)
        sample(&confirmed, 180, delay: 80)
        #expect(confirmed.smoothed == (ms(100) * 7 + ms(155)) / 8)
        var handshake = RTTEstimator()
        sample(&handshake, 100, confirmed: false)
        sample(&handshake, 180, delay: 80, confirmed: false)
        #expect(handshake.smoothed == ms(100))
    }

    // Holds: 9002-5.3-2
    @Test("A delay that would lead below the minimum is not believed (RFC 9002 section 5.3)")
    func implausibleDelay() {
        var estimator = RTTEstimator()
        sample(&estimator, 100)
        sample(&estimator, 110, delay: 25)
        #expect(estimator.smoothed == (ms(100) * 7 + ms(110)) / 8)
    }

    @Test("After persistent congestion the minimum is the newest sample (RFC 9002 section 5.2)")
    func minimumStartsOver() {
        var estimator = RTTEstimator()
        sample(&estimator, 100)
        sample(&estimator, 300)
        estimator.onPersistentCongestion()
        #expect(estimator.minimum == ms(300))
    }

    // Holds: 9002-6.2.1-1
    @Test("The variation counts for at least the timer's granularity (RFC 9002 section 6.2.1)")
    func granularity() {
        var estimator = RTTEstimator()
        sample(&estimator, 0)
        #expect(estimator.ptoInterval(maxAckDelay: .zero) == ms(1))
        #expect(estimator.persistentCongestionDuration(maxAckDelay: ms(25)) == ms(78))
    }

    @Test("Absurd samples saturate instead of trapping")
    func extremes() {
        var estimator = RTTEstimator()
        let longest = TimeSpan(nanoseconds: .max)
        for _ in 0..<3 {
            estimator.addSample(
                longest, ackDelay: longest, now: .distantFuture, handshakeConfirmed: false,
                maxAckDelay: longest)
        }
        #expect(estimator.ptoInterval(maxAckDelay: longest) == longest)
        sample(&estimator, -5)
        #expect(estimator.latest == .zero)
    }
}
