// Arranges a drawing by forces, in a worker: the same start gives the same end.
import forceAtlas2 from "graphology-layout-forceatlas2";
import { assignLayoutChanges, graphToByteArrays } from "graphology-layout-forceatlas2/helpers.js";
import DEFAULTS from "graphology-layout-forceatlas2/defaults.js";

const here = document.currentScript?.src;
const ROUNDS = 400;
const STEP = 4000; // So many nodes are moved once before the page sees it; fewer several times.

/** Moves the nodes of a graph apart and what is linked together, until settled or stopped. */
export class Arrangement {
  /**
   * @param graph The graph; nodes with `fixed` stay where they are.
   * @param still Whether only the end is shown, for people who want no motion.
   * @param changed Called with whether it is running, when that changes.
   */
  constructor(graph, still, changed) {
    Object.assign(this, { graph, still, changed, running: false, worker: null });
  }

  start() {
    this.stop();
    if (this.graph.order < 2) return;
    const { nodes, edges } = graphToByteArrays(this.graph, () => 1);
    const settings = { ...DEFAULTS, ...forceAtlas2.inferSettings(this.graph), scalingRatio: 30 };
    const rounds = this.still ? ROUNDS : Math.max(1, Math.min(8, Math.round(STEP / this.graph.order)));
    let left = ROUNDS;
    this.worker = new Worker(new URL("layout.js", here));
    this.worker.onmessage = ({ data }) => {
      assignLayoutChanges(this.graph, data, null);
      left -= rounds;
      if (left > 0) requestAnimationFrame(() => this.worker?.postMessage({ settings, nodes: data, rounds }, [data.buffer]));
      else this.stop();
    };
    this.worker.postMessage({ settings, nodes, edges, rounds });
    this.set(true);
  }

  stop() {
    this.worker?.terminate();
    this.worker = null;
    if (this.running) this.set(false);
  }

  set(running) {
    this.running = running;
    this.changed(running);
  }
}
