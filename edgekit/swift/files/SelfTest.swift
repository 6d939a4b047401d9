// Golden vectors: whether the model here computes what the one that was built computes. Generated
// by edgekit.
@status@
import Foundation

extension @class@ {
  /// `ok`, or what differs first.
  public enum SelfTest: Equatable, CustomStringConvertible {
    case ok(vectors: Int)
    case differs(vector: Int, output: Int, element: Int, got: Double, wanted: Double)

    public var description: String {
      switch self {
      case .ok(let vectors):
        return "ok: \(vectors) golden vectors"
      case .differs(let vector, let output, let element, let got, let wanted):
        return "vector \(vector), output \(output), element \(element): \(got) instead of \(wanted)"
      }
    }
  }

  /// Runs the golden vectors.
  public func selfTest() throws -> SelfTest {
    let vectors = try Self.golden()
    for (vector, (given, wanted)) in vectors.enumerated() {
      let got = try run(given)
      for (output, port) in Self.outputs.enumerated() {
        guard let allowed = Self.allowed[output] else { continue }
        let pairs = zip(port.numbers(got[output]), port.numbers(wanted[output]))
        for (element, pair) in pairs.enumerated() {
          let same = pair.0 == pair.1 || (pair.0.isNaN && pair.1.isNaN)
          if same || abs(pair.0 - pair.1) <= allowed { continue }
          return .differs(
            vector: vector, output: output, element: element, got: pair.0, wanted: pair.1)
        }
      }
    }
    return .ok(vectors: vectors.count)
  }

  /// Inputs and outputs of each golden vector, as they are stored.
  public static func golden() throws -> [(inputs: [Data], outputs: [Data])] {
    let content = try Data(contentsOf: resource("golden.bin"))
    let sizes = (inputs + outputs).map(\.byteCount)
    let each = sizes.reduce(0, +)
    guard !content.isEmpty, content.count % each == 0 else {
      throw @class@Error("the model was built without golden vectors")
    }
    return stride(from: 0, to: content.count, by: each).map { start in
      var at = start
      let parts = sizes.map { size -> Data in
        defer { at += size }
        return content.subdata(in: at..<at + size)
      }
      return (Array(parts.prefix(inputs.count)), Array(parts.suffix(outputs.count)))
    }
  }

  /// The model file.
  public static func modelURL() throws -> URL {
    try resource("model.tflite")
  }

  private static func resource(_ name: String) throws -> URL {
    let place = bundle.resourceURL ?? bundle.bundleURL
    let places = ["Resources/\(name)", name].map { place.appendingPathComponent($0) }
    for url in places where FileManager.default.fileExists(atPath: url.path) {
      return url
    }
    throw @class@Error("\(name) is not among the resources of the app: copy the package whole")
  }

  private static var bundle: Bundle {
    #if SWIFT_PACKAGE
      return Bundle.module
    #else
      let own = Bundle(for: @class@.self)
      let packed = own.url(forResource: "@module@", withExtension: "bundle")
      return packed.flatMap { Bundle(url: $0) } ?? own
    #endif
  }
}
