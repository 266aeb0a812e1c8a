extension QUICConnection {
    /// What a client may keep for the next connection to the same server, as the server gives it out; ends
    /// with the connection. The last eight are kept for those who don't ask in time.
    public var resumptionTickets: ResumptionTickets { ResumptionTickets(connection: self) }

    /// What a server gives out for later connections.
    public struct ResumptionTickets: AsyncSequence, Sendable {
        /// What to keep for a later connection.
        public typealias Element = QUICResumption
        /// It never fails; it ends with the connection.
        public typealias Failure = Never

        let connection: QUICConnection

        /// Takes one after the other.
        public struct AsyncIterator: AsyncIteratorProtocol {
            let connection: QUICConnection

            /// The next one; nil when the connection is over or the task cancelled.
            public mutating func next() async -> QUICResumption? { await next(isolation: nil) }

            /// The next one; nil when the connection is over or the task cancelled.
            public mutating func next(isolation actor: isolated (any Actor)?) async throws(Never)
                -> QUICResumption?
            {
                await connection.nextResumption()
            }
        }

        /// Iterators share the connection: a ticket goes to one of them.
        public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(connection: connection) }
    }

    nonisolated(nonsending) private func nextResumption() async -> QUICResumption? {
        let driver = driver
        while driver.driver.isCurrent {
            if var resumption = driver.takeResumption() {
                // The server may have sent the token after the ticket.
                resumption.addressToken = driver.addressToken
                return resumption
            }
            if driver.closeReason != nil || Task.isCancelled { return nil }
            await driver.driver.suspend({ driver.resumptionWaiters.append($0) }) {
                driver.resumptionWaiters.wakeAll()
            }
        }
        return await driver.driver.run { await self.nextResumption() }
    }
}
