// A stand-in for TensorFlowLiteSwift, which Debian has not: the part of its interface that a package
// of edgekit calls, and recorded answers of LiteRT instead of a model.
import Foundation

public struct Tensor {
  public let data: Data
}

public final class Interpreter {
  public struct Options {
    public var threadCount: Int?
    public init() {}
  }

  private let answers: [Data: [Data]]
  private var inputs: [Data] = []
  private var outputs: [Data] = []

  public init(modelPath: String, options: Options? = nil, delegates: [Int]? = nil) throws {
    precondition(FileManager.default.fileExists(atPath: modelPath))
    let content = try Data(contentsOf: URL(fileURLWithPath: "/work/app/recorded.json"))
    let pairs = try JSONDecoder().decode([[[Data]]].self, from: content)
    answers = Dictionary(pairs.map { ($0[0].reduce(Data(), +), $0[1]) }) { one, _ in one }
  }

  public func allocateTensors() throws {}

  @discardableResult
  public func copy(_ data: Data, toInputAt index: Int) throws -> Tensor {
    inputs = Array(inputs.prefix(index)) + [data]
    return Tensor(data: data)
  }

  public func invoke() throws {
    guard let found = answers[inputs.reduce(Data(), +)] else { fatalError("never recorded") }
    outputs = found
  }

  public func output(at index: Int) throws -> Tensor {
    Tensor(data: outputs[index])
  }
}
