/**
 * Positions arrive as steps of a tile's side. The view's centre is given in the same steps, split into a whole and a
 * fractional part: the whole difference is exact in float32, so nothing trembles however near the camera is.
 */

export const POINT_ATTRIBUTES = ["a_at", "a_low", "a_code", "a_flags", "a_glow", "a_from"];

/** What a program is compiled with: a map that does not glow does not pay for it. */
export interface PointVariant {
  /** Points are coloured by `a_glow`, 0 … 255; 128 is the cut. */
  glow: boolean;
  /** All points count and none is hidden. */
  plain: boolean;
  /** Points are so small that they have no rim. */
  small: boolean;
  /** Points are on their way from `a_from`, steps of 1/65534 of the world. */
  morph: boolean;
}

/**
 * `u_lit`: 0 = every point counts, 1 = those that are selected, 2 = none. Flags: bit 0 selected, bit 1 hidden (`flags.ts`).
 * Layer 1 holds the points that stand back, 2 those that count, 3 the best of a glow; 0 is all of them at once.
 */
export const pointVertex = ({ glow, morph, plain }: PointVariant): string => `#version 300 es
${plain ? "#define PLAIN" : ""}
${glow ? "#define GLOW" : ""}
${morph ? "#define MORPH" : ""}
precision highp float;
in vec2 a_at;
in vec2 a_low;
in float a_code;
in float a_flags;
uniform vec2 u_whole;
uniform vec2 u_part;
uniform float u_step;
uniform vec2 u_half;
uniform float u_size;
uniform float u_ratio;
uniform int u_layer;
uniform int u_lit;
uniform vec3 u_paper;
uniform sampler2D u_colours;
#ifdef GLOW
in float a_glow;
uniform vec3 u_glow[3];
#endif
#ifdef MORPH
in vec2 a_from;
uniform vec2 u_centre;
uniform float u_scale;
uniform float u_way;
#endif
out vec4 v_colour;
flat out float v_pixels;

void main() {
  int code = int(a_code + 0.5);
  vec4 colour = texelFetch(u_colours, ivec2(code & 255, code >> 8), 0);
#ifdef PLAIN
  bool lit = true;
  float size = u_size;
#else
  int flags = int(a_flags + 0.5);
  bool lit = colour.a > 0.5 && (u_lit == 0 || (u_lit == 1 && (flags & 1) == 1));
  float size = u_size;
  int layer = lit ? 2 : 1;
#ifdef GLOW
  float above = clamp((a_glow - 128.0) / 127.0, 0.0, 1.0);
  float below = lit ? clamp((a_glow - 64.0) / 64.0, 0.0, 1.0) : 0.0;
  lit = lit && a_glow >= 127.5;
  layer = lit ? (above >= 0.5 ? 3 : 2) : 1;
  size *= lit ? 1.0 + 0.7 * above : 1.0;
#endif
  if ((flags & 2) == 2 || (u_layer != 0 && u_layer != layer)) {
    gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
    gl_PointSize = 1.0;
    return;
  }
#endif
  vec2 pixels = ((a_at - u_whole) + ((a_low + 0.5) / 256.0 - u_part)) * u_step;
  v_pixels = (lit ? size : max(2.0, size * 0.8)) * u_ratio;
#ifdef PLAIN
  v_colour = vec4(colour.rgb, 0.88);
#else
  // Transparency alone would leave dense clusters saturated: what stands back loses its colour too.
  float grey = dot(colour.rgb, vec3(0.299, 0.587, 0.114));
  vec3 faded = mix(mix(colour.rgb, vec3(grey), 0.86), u_paper, 0.74);
#ifdef GLOW
  vec3 bright = above < 0.5 ? mix(u_glow[0], u_glow[1], 2.0 * above) : mix(u_glow[1], u_glow[2], 2.0 * above - 1.0);
  v_colour = lit ? vec4(bright, 0.9) : vec4(mix(faded, u_glow[0], 0.45 * below), 0.55);
#else
  v_colour = lit ? vec4(colour.rgb, 0.88) : vec4(faded, 0.55);
#endif
#endif
#ifdef MORPH
  // 65535 = it was not on the other map: it appears where it is.
  bool known = a_from.x < 65534.5;
  vec2 before = (a_from / 65534.0 - u_centre) * u_scale;
  if (known) pixels = mix(before, pixels, u_way);
  else v_colour.a *= u_way;
#endif
  gl_Position = vec4(pixels / u_half, 0.0, 1.0);
  gl_PointSize = v_pixels + 1.0;
}`;

/** Diameter in real pixels from which a point has a rim of paper, so that neighbours stay apart. */
export const RIM_FROM = 7;

export const pointFragment = ({ small }: PointVariant): string => `#version 300 es
${small ? "#define SMALL" : ""}
precision highp float;
in vec4 v_colour;
flat in float v_pixels;
uniform float u_alpha;
uniform vec3 u_rim;
out vec4 o_colour;

void main() {
  float radius = 0.5 * v_pixels;
  float away = length(gl_PointCoord - 0.5) * (v_pixels + 1.0);
  float inside = clamp(radius + 0.5 - away, 0.0, 1.0);
#ifdef SMALL
  o_colour = vec4(v_colour.rgb, v_colour.a * inside * u_alpha);
#else
  if (inside <= 0.0) discard;
  float rim = v_pixels < ${RIM_FROM.toFixed(1)} ? 0.0 : smoothstep(radius - 1.7, radius - 0.7, away);
  o_colour = vec4(mix(v_colour.rgb, u_rim, 0.8 * rim), v_colour.a * inside * u_alpha);
#endif
}`;

export const HIT_VERTEX = `#version 300 es
precision highp float;
in vec4 a_place;
in float a_score;
uniform vec4 u_centre;
uniform float u_scale;
uniform vec2 u_half;
uniform float u_size;
uniform float u_ratio;
uniform vec3 u_from;
uniform vec3 u_to;
out vec3 v_colour;
flat out float v_pixels;

void main() {
  vec2 pixels = ((a_place.xy - u_centre.xy) + (a_place.zw - u_centre.zw)) * u_scale;
  gl_Position = vec4(pixels / u_half, 0.0, 1.0);
  v_pixels = u_size * u_ratio * (0.8 + 0.4 * a_score);
  gl_PointSize = v_pixels + 1.0;
  v_colour = mix(u_from, u_to, a_score);
}`;

export const HIT_FRAGMENT = `#version 300 es
precision highp float;
in vec3 v_colour;
flat in float v_pixels;
uniform vec3 u_rim;
out vec4 o_colour;

void main() {
  float radius = 0.5 * v_pixels;
  float away = length(gl_PointCoord - 0.5) * (v_pixels + 1.0);
  float inside = 1.0 - smoothstep(radius - 0.5, radius + 0.5, away);
  if (inside <= 0.0) discard;
  float rim = smoothstep(radius - 1.4, radius - 0.6, away);
  o_colour = vec4(mix(v_colour, u_rim, rim), inside);
}`;

export const PICTURE_VERTEX = `#version 300 es
precision highp float;
in vec2 a_corner;
in vec2 a_pixels;
in vec3 a_texel;
in vec2 a_size;
in float a_manner;
in float a_alpha;
uniform vec2 u_half;
out vec2 v_corner;
out vec3 v_texel;
flat out vec2 v_size;
flat out float v_manner;
flat out float v_alpha;

void main() {
  gl_Position = vec4(a_pixels / u_half, 0.0, 1.0);
  v_corner = a_corner;
  v_texel = a_texel;
  v_size = a_size;
  v_manner = a_manner;
  v_alpha = a_alpha;
}`;

/** A picture with a hairline frame; rounded by two pixels, as prints are. `v_manner`: see `MANNERS`. */
export const PICTURE_FRAGMENT = `#version 300 es
precision highp float;
precision highp sampler2DArray;
in vec2 v_corner;
in vec3 v_texel;
flat in vec2 v_size;
flat in float v_manner;
flat in float v_alpha;
uniform sampler2DArray u_sheets;
uniform vec3 u_paper;
uniform vec3 u_rim;
uniform vec3 u_selected;
uniform vec3 u_hit;
uniform float u_frame;
out vec4 o_colour;

void main() {
  vec2 half_size = 0.5 * v_size;
  vec2 away = abs(v_corner * v_size - half_size) - half_size + 3.0;
  float edge = length(max(away, 0.0)) + min(max(away.x, away.y), 0.0) - 3.0;
  float inside = 1.0 - smoothstep(-0.5, 0.5, edge);
  vec4 texel = texture(u_sheets, v_texel);
  vec3 colour = mix(u_paper, texel.rgb, texel.a);
  float grey = dot(colour, vec3(0.299, 0.587, 0.114));
  colour = mix(mix(mix(colour, vec3(grey), 0.8), u_paper, 0.75), colour, min(v_manner, 1.0));
  // Drawings without a ground stand free.
  colour = mix(colour, u_rim, 0.8 * texel.a * smoothstep(-1.6, -0.6, edge));
  if (v_manner > 1.5) colour = mix(colour, v_manner > 2.5 ? u_hit : u_selected, smoothstep(-0.5, 0.5, edge + u_frame));
  o_colour = vec4(colour, inside * v_alpha);
}`;
