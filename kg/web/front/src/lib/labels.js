// How names are written into a drawing: never over each other, and readable on any ground.

const LONG = 46;

/** A name as it is written into a drawing: a title of many words would lie over everything else. */
export function short(name) {
  return name.length > LONG ? `${name.slice(0, LONG - 2)} …` : name;
}

/** Whether a box, as [left, top, right, bottom], has room beside those that are taken; if so, it is taken too. */
export function room(taken, box) {
  const free = !taken.some((other) => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3]);
  if (free) taken.push(box);
  return free;
}

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
      const name = short(data.label), x = data.x + data.size + 4, y = data.y + settings.labelSize / 3;
      const right = x + context.measureText(name).width + 2;
      if (!room(taken, [x - 2, y - settings.labelSize, right, y + 4])) return;
      const { ink, paper } = theme();
      context.lineWidth = 3;
      context.lineJoin = "round";
      context.strokeStyle = paper;
      context.strokeText(name, x, y);
      context.fillStyle = ink;
      context.fillText(name, x, y);
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
