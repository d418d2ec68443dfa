import Graph from "graphology";
import Sigma from "sigma";
window.kgExplore = { Graph, Sigma };
