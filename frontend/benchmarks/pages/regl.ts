import createScatterplot from "regl-scatterplot";
import { allPoints, firstPaint, type FirstPaint } from "./contender";

window.started = start();

async function start(): Promise<FirstPaint> {
  const { positions, codes } = await allPoints();
  const canvas = document.querySelector("canvas")!;
  const { width, height } = canvas.getBoundingClientRect();
  const plot = createScatterplot({
    canvas,
    width,
    height,
    pointSize: 3,
    opacity: 0.8,
    colorBy: "valueA",
    pointColor: ["#2f6db5", "#d1495b", "#2c8a4f", "#c79a16", "#7b4ea3", "#1b9aaa", "#c8631c", "#a53f7d", "#6e7f1f", "#3b3f8f"],
    backgroundColor: "#f7f5ef",
  });
  const x = Float32Array.from(codes, (_, i) => 2 * positions[2 * i]! - 1);
  const y = Float32Array.from(codes, (_, i) => 2 * positions[2 * i + 1]! - 1);
  await plot.draw({ x, y, z: Float32Array.from(codes, (code) => code % 10) }, { zDataType: "categorical" });
  window.contender = {
    // It draws elsewhere and copies the picture into this canvas.
    settle: () => void canvas.getContext("2d")!.getImageData(0, 0, 1, 1),
    drawn: () => codes.length,
    // At distance 1 the canvas's height shows the whole world, two units high.
    camera: (wx, wy, scale) => void plot.set({ cameraTarget: [2 * wx - 1, 2 * wy - 1], cameraDistance: height / scale }),
    highlight: (ordinals) => void plot.select(ordinals),
    // Asked as a person asks, by moving the mouse: it offers no other way.
    pick: (px, py) => {
      for (const type of ["mouseenter", "mousemove"]) canvas.dispatchEvent(new MouseEvent(type, { clientX: px, clientY: py, bubbles: true, view: window }));
    },
  };
  return firstPaint();
}
