/** Draws a small still life into each sample canvas of gallery.html, so that the gallery needs no picture files. */

const PALETTES = [
  ["#e9e0cf", "#b5462f", "#d99a4e", "#5d6b3a"],
  ["#dfe3da", "#3f5e4b", "#9aa86b", "#c9b458"],
  ["#e7d8cb", "#7d3b46", "#c06a58", "#3b3a52"],
  ["#d8dde3", "#38506b", "#8fa3b5", "#c98c5a"],
  ["#efe6da", "#c98a2f", "#8b4a2b", "#4d5c45"],
];

let seed = 7;
const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;

for (const [index, canvas] of [...document.querySelectorAll<HTMLCanvasElement>("canvas[data-sample]")].entries()) {
  const [ground, ...fruits] = PALETTES[index % PALETTES.length]!;
  canvas.width = canvas.height = 240;
  const pen = canvas.getContext("2d")!;
  pen.fillStyle = ground!;
  pen.fillRect(0, 0, 240, 240);
  for (let n = 0; n < 5; n++) {
    const x = 40 + random() * 160;
    const y = 60 + random() * 120;
    const radius = 22 + random() * 40;
    const shade = pen.createRadialGradient(x - radius / 3, y - radius / 3, radius / 8, x, y, radius);
    shade.addColorStop(0, "#fff8");
    shade.addColorStop(0.3, fruits[n % 3]!);
    shade.addColorStop(1, fruits[(n + 1) % 3]!);
    pen.fillStyle = shade;
    pen.beginPath();
    pen.arc(x, y, radius, 0, 7);
    pen.fill();
  }
}
