// Many small bars as few shapes: one path for each colour, because thousands of elements make a page slow.

/** A bar. */
export interface Box {
  /** The class that colours it. */
  look: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

const short = (n: number): string => String(Math.round(n * 1000) / 1000);

/** The outlines of all bars of each look. */
export function outlines(boxes: Iterable<Box>): Map<string, string> {
  const out = new Map<string, string>();
  for (const { look, x, y, width, height } of boxes) {
    const outline = `M${short(x)} ${short(y)}h${short(width)}v${short(height)}h${short(-width)}z`;
    out.set(look, (out.get(look) ?? '') + outline);
  }
  return out;
}
