import { Deck, OrthographicView, type PickingInfo } from "@deck.gl/core";
import { ScatterplotLayer } from "@deck.gl/layers";
import { allPoints, firstPaint, settleWebGL, type FirstPaint } from "./contender";

const COLOURS = [[47, 109, 181], [209, 73, 91], [44, 138, 79], [199, 154, 22], [123, 78, 163], [27, 154, 170], [200, 99, 28], [165, 63, 125], [110, 127, 31], [59, 63, 143]];

window.started = start();

async function start(): Promise<FirstPaint> {
  const { positions, codes } = await allPoints();
  const colours = new Uint8Array(4 * codes.length);
  codes.forEach((code, i) => colours.set([...COLOURS[code % 10]!, 200], 4 * i));
  const layer = (selected: Uint8Array) =>
    new ScatterplotLayer({
      id: "points",
      data: {
        length: codes.length,
        attributes: { getPosition: { value: positions, size: 2 }, getFillColor: { value: selected, size: 4, type: "unorm8" } },
      },
      getRadius: 1.5,
      radiusUnits: "pixels",
      pickable: true,
    });
  const canvas = document.querySelector("canvas")!;
  const state = (x: number, y: number, scale: number) => ({ target: [x, y, 0] as [number, number, number], zoom: Math.log2(scale) });
  return new Promise((resolve) => {
    const deck: Deck<OrthographicView> = new Deck({
      canvas,
      views: new OrthographicView({ flipY: false }),
      viewState: state(0.5, 0.5, 736),
      layers: [layer(colours)],
      onAfterRender: () => {
        if (deck.props.layers.length > 0) resolve(firstPaint());
      },
    });
    window.contender = {
      settle: () => settleWebGL(canvas),
      drawn: () => codes.length,
      camera: (x, y, scale) => deck.setProps({ viewState: state(x, y, scale) }),
      highlight: (ordinals) => {
        const dimmed = colours.map((value, i) => (i % 4 === 3 ? 40 : value));
        for (const ordinal of ordinals) dimmed.set([179, 38, 30, 255], 4 * ordinal);
        deck.setProps({ layers: [layer(dimmed)] });
      },
      pick: (x, y): PickingInfo | null => deck.pickObject({ x, y, radius: 10 }),
    };
  });
}
