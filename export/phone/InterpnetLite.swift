// Class and explanation on iOS; the same steps as interpnet_lite.py.
import Foundation
import TensorFlowLite

struct Explanation {
    let label: String
    let probability: Float
    let text: String
    let words: [String]
    let logProbabilities: [Float]
}

/// Runs `NAME.tflite`, with `NAME.vocabulary.txt` and `NAME.labels.txt` beside it in the app's bundle.
final class Explainer {
    private static let pad: Int32 = 0
    private static let end: Int32 = 2
    private let words: [String]
    private let labels: [String]
    private let runner: SignatureRunner
    private let interpreter: Interpreter

    init(name: String, bundle: Bundle = .main, threads: Int = 1) throws {
        words = try Explainer.lines("\(name).vocabulary", in: bundle)
        labels = try Explainer.lines("\(name).labels", in: bundle)
        guard let path = bundle.path(forResource: name, ofType: "tflite") else {
            throw CocoaError(.fileNoSuchFile)
        }
        var options = Interpreter.Options()
        options.threadCount = threads
        interpreter = try Interpreter(modelPath: path, options: options)
        runner = try interpreter.signatureRunner(with: "explain")
        try runner.allocateTensors()
    }

    /// `x`: the features, or the picture's RGB numbers (0...255) row by row.
    func explain(_ x: [Float]) throws -> Explanation {
        try runner.copy(x.withUnsafeBufferPointer { Data(buffer: $0) }, toInputNamed: "x")
        try runner.invoke()
        let classId: [Int32] = try output("class_id")
        let probability: [Float] = try output("probability")
        let ids: [Int32] = try output("token_ids")
        let logProbabilities: [Float] = try output("log_probabilities")
        let said = ids.prefix { $0 != Explainer.end && $0 != Explainer.pad }.map { words[Int($0)] }
        return Explanation(
            label: labels[Int(classId[0])],
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

    private static func lines(_ name: String, in bundle: Bundle) throws -> [String] {
        guard let url = bundle.url(forResource: name, withExtension: "txt") else {
            throw CocoaError(.fileNoSuchFile)
        }
        return try String(contentsOf: url, encoding: .utf8).split(separator: "\n").map(String.init)
    }
}
