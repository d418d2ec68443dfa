import { draw } from "./lib/draw.js";
window.kgDraw = draw;
