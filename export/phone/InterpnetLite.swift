// Class and explanation on iOS; the same steps as interpnet_lite.py. InterpnetPicture.swift belongs to it.
import Foundation
import TensorFlowLite

struct Explanation {
    let label: String
    let classId: Int
    let probability: Float
    let text: String
    let words: [String]
    let logProbabilities: [Float]
}

enum ExplainerError: Error {
    case notExported(String)
    case wrongInput(String)
}

/// Runs an exported `.tflite` file. Everything else that is needed (words, class names, what is done to an input)
/// lies in the file, as a zip archive behind the model.
final class Explainer {
    private static let pad: Int32 = 0
    private static let end: Int32 = 2
    private let words: [String]
    private let labels: [String]
    private let runner: SignatureRunner
    private let interpreter: Interpreter

    /// The shape of one input: `[features]`, or `[height, width, 3]` of a picture.
    let shape: [Int]
    /// Whether the model reads pictures.
    let readsPictures: Bool

    init(path: String, threads: Int = 1) throws {
        let packed = try PackedFiles(Data(contentsOf: URL(fileURLWithPath: path)))
        words = try packed.lines("vocabulary.txt")
        labels = try packed.lines("labels.txt")
        let preprocessing = try packed.text("preprocessing.json")
        readsPictures = preprocessing.range(of: "\"kind\":\\s*\"picture\"", options: .regularExpression) != nil
        var options = Interpreter.Options()
        options.threadCount = threads
        interpreter = try Interpreter(modelPath: path, options: options)
        runner = try interpreter.signatureRunner(with: "explain")
        try runner.allocateTensors()
        shape = try Array(runner.input(named: "x").shape.dimensions.dropFirst())
    }

    /// Classifies a picture file (JPEG, PNG or BMP) and says why.
    func explainPicture(_ file: Data) throws -> Explanation {
        guard readsPictures else {
            throw ExplainerError.wrongInput("this model reads arrays of the shape \(shape); call explain")
        }
        return try explain(readPicture(file, size: shape[0]))
    }

    /// Classifies and says why. `x`: the features, or a picture's RGB numbers (0...255) row by row.
    func explain(_ x: [Float]) throws -> Explanation {
        let expected = shape.reduce(1, *)
        guard x.count == expected else {
            throw ExplainerError.wrongInput("x must hold \(expected) numbers, got \(x.count)")
        }
        try runner.copy(x.withUnsafeBufferPointer { Data(buffer: $0) }, toInputNamed: "x")
        try runner.invoke()
        let classId: [Int32] = try output("class_id")
        let probability: [Float] = try output("probability")
        let ids: [Int32] = try output("token_ids")
        let logProbabilities: [Float] = try output("log_probabilities")
        let said = ids.prefix { $0 != Explainer.end && $0 != Explainer.pad }.map { words[Int($0)] }
        return Explanation(
            label: labels[Int(classId[0])],
            classId: Int(classId[0]),
            probability: probability[0],
            text: Explainer.detokenize(said),
            words: said,
            logProbabilities: Array(logProbabilities.prefix(said.count))
        )
    }

    static func detokenize(_ words: [String]) -> String {
        words.joined(separator: " ")
            .replacingOccurrences(of: " ([,.;:!?%)\\]}…])", with: "$1", options: .regularExpression)
            .replacingOccurrences(of: "([(\\[{#]) | (/) ", with: "$1$2", options: .regularExpression)
    }

    private func output<Element>(_ name: String) throws -> [Element] {
        try runner.output(named: name).data.withUnsafeBytes { Array($0.bindMemory(to: Element.self)) }
    }
}

/// The text files in the zip archive behind a model, which are stored as they are, not compressed.
private struct PackedFiles {
    private var files: [String: Data] = [:]

    init(_ model: Data) throws {
        let bytes = [UInt8](model)
        func number(_ at: Int, _ size: Int) -> Int {
            (0..<size).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) }
        }
        // The end record of the archive tells where its directory begins and how many files there are.
        let candidates = stride(from: bytes.count - 22, through: max(0, bytes.count - 65557), by: -1)
        guard let end = candidates.first(where: { number($0, 4) == 0x0605_4b50 }) else {
            throw ExplainerError.notExported("the model has no files packed into it")
        }
        var entry = number(end + 16, 4)
        for _ in 0..<number(end + 10, 2) {
            let nameLength = number(entry + 28, 2)
            let name = String(decoding: bytes[(entry + 46)..<(entry + 46 + nameLength)], as: UTF8.self)
            let local = number(entry + 42, 4)
            let first = local + 30 + number(local + 26, 2) + number(local + 28, 2)
            files[name] = Data(bytes[first..<(first + number(entry + 24, 4))])
            entry += 46 + nameLength + number(entry + 30, 2) + number(entry + 32, 2)
        }
    }

    func text(_ name: String) throws -> String {
        guard let file = files[name] else {
            throw ExplainerError.notExported("the model has no \(name) in it")
        }
        return String(decoding: file, as: UTF8.self)
    }

    func lines(_ name: String) throws -> [String] {
        var lines = try text(name).components(separatedBy: "\n")
        if lines.last == "" { lines.removeLast() }
        return lines
    }
}
