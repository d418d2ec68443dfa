// The layout's worker: ForceAtlas2 beside the page, so that it never stutters. A file, for the policy allows no blob.
import iterate from "graphology-layout-forceatlas2/iterate.js";

let edges;
self.onmessage = ({ data }) => {
  if (data.edges) edges = data.edges;
  for (let round = 0; round < data.rounds; round += 1) iterate(data.settings, data.nodes, edges);
  self.postMessage(data.nodes, [data.nodes.buffer]);
};
