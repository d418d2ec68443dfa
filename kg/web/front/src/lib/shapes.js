// How kinds of node look: the colours and shapes of kg/looks.json, as WebGL program and as SVG.
import { NodeProgram } from "sigma/rendering";
import { floatColor } from "sigma/utils";
import looks from "../../../../looks.json";

const SVG = "http://www.w3.org/2000/svg";
// Corners within the unit circle or a little outside, so that all shapes look equally large; y points up.
const CORNERS = {
  square: polygon(4, 1.2, Math.PI / 4),
  diamond: polygon(4, 1.15, 0),
  triangle: polygon(3, 1.25, Math.PI / 2),
  hexagon: polygon(6, 1.08, 0),
  star: star(1.3, 0.56),
};
const SHAPES = ["dot", ...Object.keys(CORNERS)];

function polygon(count, radius, turn) {
  return Array.from({ length: count }, (_, corner) => {
    const angle = turn + (2 * Math.PI * corner) / count;
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  });
}

function star(outer, inner) {
  const points = polygon(5, outer, Math.PI / 2), dents = polygon(5, inner, Math.PI / 2 + Math.PI / 5);
  return points.flatMap((point, index) => [point, dents[index]]);
}

/** Return how a kind is drawn: `{colour, shape}`. */
export function look(kind) {
  return Object.hasOwn(looks, kind) ? looks[kind] : looks[""];
}

/** Return an SVG element for a kind of node at a place. */
export function mark(kind, x, y, size) {
  const { colour, shape } = look(kind);
  const element = document.createElementNS(SVG, shape === "dot" ? "circle" : "polygon");
  if (shape === "dot") {
    element.setAttribute("cx", x);
    element.setAttribute("cy", y);
    element.setAttribute("r", size);
  } else {
    const points = CORNERS[shape].map(([dx, dy]) => `${(x + dx * size).toFixed(1)},${(y - dy * size).toFixed(1)}`);
    element.setAttribute("points", points.join(" "));
  }
  element.setAttribute("fill", colour);
  return element;
}

/** Return a small picture of a kind for a legend. */
export function swatch(kind) {
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("viewBox", "-1.4 -1.4 2.8 2.8");
  picture.setAttribute("class", "swatch");
  picture.setAttribute("aria-hidden", "true");
  picture.append(mark(kind, 0, 0, 1));
  return picture;
}

const VERTEX = /* glsl */ `
attribute vec4 a_id;
attribute vec4 a_color;
attribute vec2 a_position;
attribute float a_size;
attribute float a_shape;
attribute float a_angle;
uniform mat3 u_matrix;
uniform float u_sizeRatio;
uniform float u_correctionRatio;
varying vec4 v_color;
varying vec2 v_place;
varying float v_pixel;
varying float v_shape;
void main() {
  float radius = a_size * u_correctionRatio / u_sizeRatio * 2.0;
  // The triangle's inner circle is 1.5 times as large as the node, so that corners and the star's tips fit in.
  vec2 corner = 3.0 * vec2(cos(a_angle), sin(a_angle));
  gl_Position = vec4((u_matrix * vec3(a_position + corner * radius, 1)).xy, 0, 1);
  v_place = corner;
  v_pixel = u_correctionRatio * 2.0 / radius;
  v_shape = a_shape;
  #ifdef PICKING_MODE
  v_color = a_id;
  #else
  v_color = a_color;
  #endif
  v_color.a *= 255.0 / 254.0;
}`;

// Distances from the outline, in radii of the node: the same outlines as CORNERS.
const FRAGMENT = /* glsl */ `
precision highp float;
varying vec4 v_color;
varying vec2 v_place;
varying float v_pixel;
varying float v_shape;
float outline(vec2 p) {
  if (v_shape < 0.5) return length(p) - 1.0;
  vec2 q = abs(p);
  if (v_shape < 1.5) return max(q.x, q.y) - 0.85;
  if (v_shape < 2.5) return (q.x + q.y) * 0.7071 - 0.813;
  if (v_shape < 3.5) return max(q.x * 0.866 + p.y * 0.5, -p.y) - 0.625;
  if (v_shape < 4.5) return max(q.x * 0.866 + q.y * 0.5, q.y) - 0.935;
  // A fifth of the star, halved: what counts is the straight line from its tip to the dent.
  float turn = abs(mod(atan(p.x, p.y) + 0.6283, 1.2566) - 0.6283);
  return dot(length(p) * vec2(sin(turn), cos(turn)) - vec2(0.0, 1.3), vec2(0.932, 0.362));
}
void main(void) {
  float inside = -outline(v_place);
  #ifdef PICKING_MODE
  gl_FragColor = inside > 0.0 ? v_color : vec4(0.0);
  #else
  vec4 edge = vec4(v_color.rgb * 0.7, v_color.a);
  vec4 filled = mix(edge, v_color, smoothstep(v_pixel * 0.6, v_pixel * 1.2, inside));
  gl_FragColor = mix(vec4(0.0), filled, smoothstep(0.0, v_pixel * 0.8, inside));
  #endif
}`;

const { FLOAT, UNSIGNED_BYTE, TRIANGLES } = WebGLRenderingContext;

/** Sigma's program for nodes of every shape: one call draws them all. */
export class ShapeProgram extends NodeProgram {
  getDefinition() {
    return {
      VERTICES: 3,
      VERTEX_SHADER_SOURCE: VERTEX,
      FRAGMENT_SHADER_SOURCE: FRAGMENT,
      METHOD: TRIANGLES,
      UNIFORMS: ["u_sizeRatio", "u_correctionRatio", "u_matrix"],
      ATTRIBUTES: [
        { name: "a_position", size: 2, type: FLOAT },
        { name: "a_size", size: 1, type: FLOAT },
        { name: "a_color", size: 4, type: UNSIGNED_BYTE, normalized: true },
        { name: "a_id", size: 4, type: UNSIGNED_BYTE, normalized: true },
        { name: "a_shape", size: 1, type: FLOAT },
      ],
      CONSTANT_ATTRIBUTES: [{ name: "a_angle", size: 1, type: FLOAT }],
      CONSTANT_DATA: [[0], [(2 * Math.PI) / 3], [(4 * Math.PI) / 3]],
    };
  }
  processVisibleItem(id, start, data) {
    const values = this.array;
    values[start] = data.x;
    values[start + 1] = data.y;
    values[start + 2] = data.size;
    values[start + 3] = floatColor(data.color);
    values[start + 4] = id;
    values[start + 5] = SHAPES.indexOf(look(data.kind).shape);
  }
  setUniforms(params, { gl, uniformLocations }) {
    gl.uniform1f(uniformLocations.u_correctionRatio, params.correctionRatio);
    gl.uniform1f(uniformLocations.u_sizeRatio, params.sizeRatio);
    gl.uniformMatrix3fv(uniformLocations.u_matrix, false, params.matrix);
  }
}
