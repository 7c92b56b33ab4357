// Explains files with the Kotlin client, a line each with the fields parted by tabs; then spells each line of
// standard input as a sentence.
package interpnet

import android.content.res.AssetManager
import java.io.File

fun main(arguments: Array<String>) {
    val (folder, model) = arguments
    Explainer(AssetManager(folder), model).use { explainer ->
        for (path in arguments.drop(2)) {
            runCatching {
                if (path.endsWith(".txt")) {
                    explainer.explain(File(path).readText().split(" ").map { it.toFloat() }.toFloatArray())
                } else {
                    explainer.explainPicture(File(path).readBytes())
                }
            }
                .onSuccess {
                    val (words, values) = listOf(it.words, it.logProbabilities).map { it.joinToString(" ") }
                    println(listOf(it.label, it.classId, it.probability, it.text, words, values).joinToString("\t"))
                }
                .onFailure { println("refused: ${it.message}") }
        }
    }
    for (line in generateSequence(::readlnOrNull)) println(Explainer.detokenize(line.split(" ")))
}
