// How names are written into a drawing: never over each other, and readable on any ground.

/** Return sigma's functions that write labels, which take their colours from `theme()`. */
export function labels(theme) {
  let taken = [];

  function font(context, settings, weight) {
    context.font = `${weight} ${settings.labelSize}px ${settings.labelFont}`;
  }

  return {
    /** Call before each frame. */
    clear() { taken = []; },
    label(context, data, settings) {
      if (!data.label) return;
      font(context, settings, settings.labelWeight);
      const x = data.x + data.size + 4, y = data.y + settings.labelSize / 3;
      const box = [x - 2, y - settings.labelSize, x + context.measureText(data.label).width + 2, y + 4];
      const covered = taken.some((other) => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3]);
      if (covered && !data.forceLabel) return;
      taken.push(box);
      const { ink, paper, soft } = theme();
      context.lineWidth = 3;
      context.lineJoin = "round";
      context.strokeStyle = paper;
      context.strokeText(data.label, x, y);
      context.fillStyle = data.faint ? soft : ink;
      context.fillText(data.label, x, y);
    },
    hover(context, data, settings) {
      const { ink, paper, link } = theme();
      font(context, settings, "600");
      const size = settings.labelSize, radius = data.size * 1.3 + 3;
      context.strokeStyle = link;
      context.lineWidth = 2.5;
      context.beginPath();
      context.arc(data.x, data.y, radius, 0, 2 * Math.PI);
      context.stroke();
      if (!data.label) return;
      const x = data.x + radius + 3, wide = context.measureText(data.label).width + 12;
      context.fillStyle = paper;
      context.beginPath();
      context.roundRect(x, data.y - size * 0.85, wide, size * 1.7, 4);
      context.fill();
      context.lineWidth = 1;
      context.stroke();
      context.fillStyle = ink;
      context.fillText(data.label, x + 6, data.y + size / 3);
    },
  };
}
