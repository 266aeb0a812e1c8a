import NIOCore
import NIOHTTP1

/// Closes a connection whose client takes too long: to send a request, or to go on with one, or to take the
/// answer.
final class ConnectionClock: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart

    private let requestHeadTime: TimeAmount
    private let idleTime: TimeAmount
    private var deadline = NIODeadline.distantFuture
    /// Whether a request is being answered, so that every sign of life counts.
    private var isBusy = false
    private var timer: Scheduled<Void>?

    /// - Parameters:
    ///   - requestHeadTime: for the first request, with the handshake of TLS before it.
    ///   - idleTime: for the next request, and for everything else.
    init(requestHeadTime: TimeAmount, idleTime: TimeAmount) {
        self.requestHeadTime = requestHeadTime
        self.idleTime = idleTime
    }

    func handlerAdded(context: ChannelHandlerContext) {
        deadline = .now() + requestHeadTime
        arm(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head = unwrapInboundIn(data) { isBusy = true }
        noteLife()
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        noteLife()
        if case .end = unwrapOutboundIn(data) { isBusy = false }
        context.write(data, promise: promise)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        noteLife()
        context.fireChannelWritabilityChanged()
    }

    private func noteLife() { if isBusy { deadline = .now() + idleTime } }

    private func arm(_ context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(deadline: deadline) {
            let (clock, context) = bound.value
            guard clock.deadline <= .now() else { return clock.arm(context) }
            context.close(promise: nil)
        }
    }
}
