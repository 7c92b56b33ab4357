// A picture file as the model reads it: upright, short side scaled to the size, centre cropped. iOS decodes; the
// scaling is Pillow's bicubic filter, as it was in training. The same steps as interpnet_lite.py.
import CoreGraphics
import Foundation
import ImageIO

/// The most pixels that a picture file may have; it is refused before it is decoded.
let mostPixels = 67_108_864

/// Returns the RGB numbers (0...255) of a picture file, `size * size * 3`, row by row.
func readPicture(_ file: Data, size: Int) throws -> [Float] {
    // iOS reads more kinds than training did.
    let kinds: [[UInt8]] = [[0xFF, 0xD8, 0xFF], [0x89, 0x50, 0x4E, 0x47], [0x42, 0x4D]]
    guard kinds.contains(where: { file.starts(with: $0) }) else {
        throw ExplainerError.wrongInput("this is no JPEG, PNG or BMP file")
    }
    guard let source = CGImageSourceCreateWithData(file as CFData, nil),
        let properties = CGImageSourceCopyPropertiesAtIndex(source, 0, nil) as? [CFString: Any],
        let width = properties[kCGImagePropertyPixelWidth] as? Int,
        let height = properties[kCGImagePropertyPixelHeight] as? Int
    else {
        throw ExplainerError.wrongInput("this picture is damaged")
    }
    guard width * height <= mostPixels else {
        throw ExplainerError.wrongInput("the picture has \(width) x \(height) pixels, more than \(mostPixels)")
    }
    guard let image = CGImageSourceCreateImageAtIndex(source, 0, nil) else {
        throw ExplainerError.wrongInput("this picture is damaged")
    }
    let orientation = properties[kCGImagePropertyOrientation] as? Int ?? 1
    return try Pixels(image).upright(orientation).fit(size)
}

/// The pixels of a picture, four bytes each: red, green, blue and one that is not read; row by row.
struct Pixels {
    let width: Int
    let height: Int
    let rgbx: [UInt8]

    init(width: Int, height: Int, rgbx: [UInt8]) {
        self.width = width
        self.height = height
        self.rgbx = rgbx
    }

    init(_ image: CGImage) throws {
        var bytes = [UInt8](repeating: 0, count: image.width * image.height * 4)
        let drawn = bytes.withUnsafeMutableBytes { buffer -> Bool in
            // The picture's own colour space where it has three channels: its numbers stay as they are.
            let ownSpace = image.colorSpace.flatMap { $0.model == .rgb ? $0 : nil }
            guard
                let context = CGContext(
                    data: buffer.baseAddress, width: image.width, height: image.height, bitsPerComponent: 8,
                    bytesPerRow: image.width * 4, space: ownSpace ?? CGColorSpaceCreateDeviceRGB(),
                    bitmapInfo: CGImageAlphaInfo.noneSkipLast.rawValue)
            else { return false }
            context.draw(image, in: CGRect(x: 0, y: 0, width: image.width, height: image.height))
            return true
        }
        guard drawn else { throw ExplainerError.wrongInput("this picture is damaged") }
        self.init(width: image.width, height: image.height, rgbx: bytes)
    }

    /// Returns the picture turned and mirrored as EXIF's orientation mark, 1 to 8, asks for.
    func upright(_ orientation: Int) -> Pixels {
        let turned = (5...8).contains(orientation)
        let mirrored = [2, 3, 6, 7].contains(orientation)
        let upsideDown = [3, 4, 7, 8].contains(orientation)
        let (newWidth, newHeight) = turned ? (height, width) : (width, height)
        var result = [UInt8](repeating: 0, count: rgbx.count)
        for y in 0..<newHeight {
            let row = upsideDown ? newHeight - 1 - y : y
            for x in 0..<newWidth {
                let column = mirrored ? newWidth - 1 - x : x
                let old = 4 * (turned ? column * width + row : row * width + column)
                let new = 4 * (y * newWidth + x)
                for channel in 0..<3 { result[new + channel] = rgbx[old + channel] }
            }
        }
        return Pixels(width: newWidth, height: newHeight, rgbx: result)
    }

    /// Returns the centre square, scaled to `size`, as RGB numbers: what Pillow's `ImageOps.fit` gives.
    func fit(_ size: Int) -> [Float] {
        let side = min(width, height)
        let across = taps(start: Double(width - side) / 2, length: side, size: size, available: width)
        let down = taps(start: Double(height - side) / 2, length: side, size: size, available: height)
        // Rows first, rounded to whole numbers, then columns.
        var rows = [Float](repeating: 0, count: height * size * 3)
        for y in 0..<height {
            for x in 0..<size {
                for channel in 0..<3 {
                    rows[(y * size + x) * 3 + channel] = across[x].sum {
                        Double(rgbx[4 * (y * width + $0) + channel])
                    }
                }
            }
        }
        var result = [Float](repeating: 0, count: size * size * 3)
        for y in 0..<size {
            for x in 0..<size {
                for channel in 0..<3 {
                    result[(y * size + x) * 3 + channel] = down[y].sum {
                        Double(rows[($0 * size + x) * 3 + channel])
                    }
                }
            }
        }
        return result
    }
}

/// The old pixels that one new pixel is made of, from `first` on, and their weights.
private struct Tap {
    let first: Int
    let weights: [Double]

    func sum(_ value: (Int) -> Double) -> Float {
        var sum = 0.0
        for (index, weight) in weights.enumerated() { sum += weight * value(first + index) }
        return Float(min(max(sum.rounded(.toNearestOrEven), 0), 255))
    }
}

/// The new pixels along one axis cover `length` old ones from `start` on. Shrinking widens the filter.
private func taps(start: Double, length: Int, size: Int, available: Int) -> [Tap] {
    let scale = Double(length) / Double(size)
    let width = max(scale, 1)
    return (0..<size).map { index in
        let centre = start + (Double(index) + 0.5) * scale
        let first = max(0, Int((centre - 2 * width + 0.5).rounded(.down)))
        let end = min(available, Int((centre + 2 * width + 0.5).rounded(.down)))
        let weights = (first..<end).map { bicubic((Double($0) + 0.5 - centre) / width) }
        let sum = weights.reduce(0, +)
        return Tap(first: first, weights: weights.map { $0 / sum })
    }
}

/// Keys (1981), "Cubic convolution interpolation", with a = -0.5.
private func bicubic(_ position: Double) -> Double {
    let x = abs(position)
    if x < 1 { return (1.5 * x - 2.5) * x * x + 1 }
    return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0
}
