/** A closed polygon that was drawn on the map: x, y pairs in world units. */
export type Polygon = Float64Array;
