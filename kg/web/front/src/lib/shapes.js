// How kinds of node look: the colours and shapes of kg/looks.json, as WebGL program and as SVG.
import { NodeProgram } from "sigma/rendering";
import { floatColor } from "sigma/utils";
import looks from "../../../../looks.json";

const SVG = "http://www.w3.org/2000/svg";
// Corners are within the unit circle or a little outside, so that all shapes look equally large; y points up.
const SHAPES = ["dot", ...Object.keys(looks.corners)];

/** Return how a kind is drawn: `{colour, shape}`. */
export function look(kind) {
  return Object.hasOwn(looks.kinds, kind) ? looks.kinds[kind] : looks.kinds[""];
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
    const points = looks.corners[shape].map(([dx, dy]) => `${(x + dx * size).toFixed(1)},${(y - dy * size).toFixed(1)}`);
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
uniform mat3 u_matrix;
uniform float u_sizeRatio;
uniform float u_pixelRatio;
varying vec4 v_color;
varying float v_shape;
varying float v_pixel;
void main() {
  gl_Position = vec4((u_matrix * vec3(a_position, 1)).xy, 0, 1);
  float radius = a_size / u_sizeRatio * u_pixelRatio;
  gl_PointSize = 2.6 * radius;
  v_pixel = 1.0 / radius;
  v_shape = a_shape;
  #ifdef PICKING_MODE
  v_color = a_id;
  #else
  v_color = a_color;
  #endif
  v_color.a *= 255.0 / 254.0;
}`;

// Distances from the outline, in radii of the node: the same outlines as by the corners. It runs for every pixel: no angles.
const FRAGMENT = /* glsl */ `
precision mediump float;
varying vec4 v_color;
varying float v_shape;
varying float v_pixel;
float outline(vec2 p) {
  vec2 q = abs(p);
  if (v_shape < 0.5) return length(p) - 1.0;
  if (v_shape < 1.5) return max(q.x, q.y) - 0.85;
  if (v_shape < 2.5) return (q.x + q.y) * 0.7071 - 0.813;
  if (v_shape < 3.5) return max(q.x * 0.866 + p.y * 0.5, -p.y) - 0.625;
  if (v_shape < 4.5) return max(q.x * 0.866 + q.y * 0.5, q.y) - 0.935;
  // A star is what lies beyond one at most of the five lines that join its tips.
  vec2 one = vec2(p.y, q.x * 0.951 + p.y * 0.309), two = vec2(q.x * 0.588, -q.x * 0.588) - p.y * 0.809;
  float second = min(max(one.x, one.y), max(two.x, two.y));
  return max(second, max(min(one.x, one.y), min(two.x, two.y))) - 0.402;
}
void main(void) {
  float inside = -outline((gl_PointCoord - 0.5) * vec2(2.6, -2.6));
  if (inside < 0.0) discard;
  #ifdef PICKING_MODE
  gl_FragColor = v_color;
  #else
  gl_FragColor = vec4(v_color.rgb * (inside < v_pixel * 1.2 ? 0.7 : 1.0), v_color.a) * clamp(inside / v_pixel, 0.0, 1.0);
  #endif
}`;

const { FLOAT, UNSIGNED_BYTE, POINTS } = WebGLRenderingContext;

/** Sigma's program for nodes of every shape: one call draws them all. */
export class ShapeProgram extends NodeProgram {
  getDefinition() {
    return {
      VERTICES: 1,
      VERTEX_SHADER_SOURCE: VERTEX,
      FRAGMENT_SHADER_SOURCE: FRAGMENT,
      METHOD: POINTS,
      UNIFORMS: ["u_sizeRatio", "u_pixelRatio", "u_matrix"],
      ATTRIBUTES: [
        { name: "a_position", size: 2, type: FLOAT },
        { name: "a_size", size: 1, type: FLOAT },
        { name: "a_color", size: 4, type: UNSIGNED_BYTE, normalized: true },
        { name: "a_id", size: 4, type: UNSIGNED_BYTE, normalized: true },
        { name: "a_shape", size: 1, type: FLOAT },
      ],
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
    gl.uniform1f(uniformLocations.u_pixelRatio, params.pixelRatio);
    gl.uniform1f(uniformLocations.u_sizeRatio, params.sizeRatio);
    gl.uniformMatrix3fv(uniformLocations.u_matrix, false, params.matrix);
  }
}
