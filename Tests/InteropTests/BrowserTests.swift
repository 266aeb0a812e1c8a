import Foundation
import Testing

/// A browser is what most people meet HTTP/3 with.
@Suite struct BrowserTests {
    @Test(
        "Chromium loads a page with 100 parts from mhq serve, each over HTTP/3 (RFC 9114 section 3)",
        .enabled(
            if: Harness.hasChromium && Harness.hasAioquic,
            "Chromium is not installed: scripts/install-peers.sh chromium aioquic"))
    func aPageOfManyParts() throws {
        let folder = try Harness.temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let result = try Harness.run(
            "browser.py", "--mhq", Harness.mhq.path, "--out", folder.appending(path: "browser").path)
        #expect(result.status == 0, "\(result.errors)")
    }
}
