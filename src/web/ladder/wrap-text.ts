// Mean width of a letter, in parts of the font's size; system fonts differ by a few percent.
const LETTER = 0.54;

/** About how wide a text is drawn, in pixels. */
export const measureText = (text: string, fontSize: number): number => [...text].length * fontSize * LETTER;

/** As much of a text as fits, with … where something is missing. */
export function cutText(text: string, width: number, fontSize: number): string {
  const letters = [...text];
  const room = Math.max(1, Math.floor(width / (fontSize * LETTER)));
  return letters.length <= room
    ? text
    : `${letters
        .slice(0, Math.max(0, room - 1))
        .join('')
        .trimEnd()}…`;
}

/** A text in lines that fit; words longer than a line are cut. */
export function wrapText(text: string, width: number, fontSize: number): string[] {
  const room = Math.max(8, Math.floor(width / (fontSize * LETTER)));
  const lines: string[] = [];
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const line = lines.at(-1);
    const short = cutText(word, width, fontSize);
    if (line !== undefined && [...line].length + 1 + [...short].length <= room) lines[lines.length - 1] += ` ${short}`;
    else lines.push(short);
  }
  return lines;
}
