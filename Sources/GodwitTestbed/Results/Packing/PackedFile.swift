import Foundation
import MHQKit

/// A file in an archive of its own, as the thesis published its largest: `NAME.zip` holds `NAME.csv`.
///
/// The archive has no time and no owner, so the same file gives the same archive.
enum PackedFile {
    /// Where the archive of a file is.
    static func url(for file: URL) -> URL { file.deletingPathExtension().appendingPathExtension("zip") }

    private static let pieceSize = 1 << 20

    /// Puts a file into its archive and removes it. One too large for the format stays as it is.
    static func pack(_ file: URL) throws {
        let target = url(for: file)
        let partial = target.path + ".partial"
        guard FileManager.default.createFile(atPath: partial, contents: nil),
            let output = FileHandle(forWritingAtPath: partial)
        else { throw Failure(ExitCode.cannotCreate, "--out: \(target.path): can't be made") }
        let isWhole = try write(file, to: output)
        try output.close()
        guard isWhole else { return try FileManager.default.removeItem(atPath: partial) }
        guard rename(partial, target.path) == 0 else {
            throw Failure(ExitCode.ioError, "--out: \(target.path): can't be written")
        }
        try FileManager.default.removeItem(at: file)
    }

    private static func write(_ file: URL, to output: FileHandle) throws -> Bool {
        let input = try FileHandle(forReadingFrom: file)
        defer { try? input.close() }
        var entry = ZIPEntry(name: file.lastPathComponent)
        try output.write(contentsOf: entry.localHeader)
        var deflater = Deflater()
        func take() throws {
            entry.packedSize += deflater.output.count
            try output.write(contentsOf: deflater.output)
            deflater.output.removeAll(keepingCapacity: true)
        }
        while let piece = try input.read(upToCount: pieceSize), !piece.isEmpty {
            piece.withUnsafeBytes { bytes in
                entry.note(bytes)
                deflater.compress(bytes)
            }
            try take()
        }
        deflater.finish()
        try take()
        guard entry.fits else { return false }
        try output.write(contentsOf: entry.ending)
        try output.seek(toOffset: 0)
        try output.write(contentsOf: entry.localHeader)
        return true
    }
}

/// What an archive says about the one file in it (PKWARE's APPNOTE.TXT 6.3, section 4.3).
struct ZIPEntry {
    let name: String
    /// Bytes, as they are and as they are packed.
    var size = 0
    var packedSize = 0
    private var checksum = CRC32()

    init(name: String) { self.name = name }

    mutating func note(_ piece: UnsafeRawBufferPointer) {
        size += piece.count
        checksum.combine(piece)
    }

    /// Beyond that come extensions that not every reader knows.
    var fits: Bool { max(size, packedSize) + 1000 < UInt32.max }

    var localHeader: Data {
        // The version needed is 2.0, with compression.
        var data = Data()
        data.append(little: 0x0403_4b50 as UInt32)
        data.append(little: 20 as UInt16)
        data += description
        data.append(little: 0 as UInt16)
        return data + Data(name.utf8)
    }

    /// From the flags to the length of the name.
    private var description: Data {
        var data = Data()
        // No flags, compressed, at midnight of 1 January 1980.
        for word in [0, 8, 0, 0x21] as [UInt16] { data.append(little: word) }
        data.append(little: checksum.value)
        data.append(little: UInt32(truncatingIfNeeded: packedSize))
        data.append(little: UInt32(truncatingIfNeeded: size))
        data.append(little: UInt16(name.utf8.count))
        return data
    }

    /// The directory of the archive, and its end.
    var ending: Data {
        var directory = Data()
        directory.append(little: 0x0201_4b50 as UInt32)
        for word in [20, 20] as [UInt16] { directory.append(little: word) }
        directory += description
        // No further fields, no comment, the first disk, nothing about the file's kind or rights, at the beginning.
        directory += Data(count: 16)
        directory += Data(name.utf8)
        var data = directory
        data.append(little: 0x0605_4b50 as UInt32)
        for word in [0, 0, 1, 1] as [UInt16] { data.append(little: word) }
        data.append(little: UInt32(directory.count))
        data.append(little: UInt32(localHeader.count + packedSize))
        data.append(little: 0 as UInt16)
        return data
    }
}

/// The checksum of archives.
struct CRC32 {
    private var state: UInt32 = .max

    var value: UInt32 { ~state }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xedb8_8320 ^ value >> 1 : value >> 1 }
    }

    mutating func combine(_ bytes: some Sequence<UInt8>) {
        var value = state
        for byte in bytes { value = Self.table[Int(UInt8(truncatingIfNeeded: value) ^ byte)] ^ value >> 8 }
        state = value
    }
}

extension Data {
    fileprivate mutating func append(little value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }
}
