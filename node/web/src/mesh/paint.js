// Draws a laid-out mesh on a canvas. Standings differ in shape as well as in colour.
import { isVoter } from '../model/members.js';

const LABELS_MAX = 60;

export function scaleOf(width, height) {
  const radius = Math.max(40, Math.min(width / 2 - 24, height / 2 - 26));
  return { radius, x: width / 2, y: height / 2 };
}

export const dotRadius = (spacing, radius) => Math.max(1.6, Math.min(9, spacing * radius * 0.3));

function shape(ctx, standing, x, y, r) {
  ctx.beginPath();
  if (standing === 'suspect') {
    ctx.moveTo(x, y - r * 1.2);
    ctx.lineTo(x + r * 1.2, y);
    ctx.lineTo(x, y + r * 1.2);
    ctx.lineTo(x - r * 1.2, y);
    ctx.closePath();
  } else if (standing === 'unreachable') {
    ctx.moveTo(x, y - r * 1.2);
    ctx.lineTo(x + r * 1.1, y + r * 0.8);
    ctx.lineTo(x - r * 1.1, y + r * 0.8);
    ctx.closePath();
  } else if (standing === 'dead') {
    ctx.moveTo(x - r, y - r);
    ctx.lineTo(x + r, y + r);
    ctx.moveTo(x + r, y - r);
    ctx.lineTo(x - r, y + r);
  } else {
    ctx.arc(x, y, r, 0, 2 * Math.PI);
  }
}

function ring(ctx, x, y, r, colour, width, dash = []) {
  ctx.beginPath();
  ctx.setLineDash(dash);
  ctx.arc(x, y, r, 0, 2 * Math.PI);
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.stroke();
  ctx.setLineDash([]);
}

function paintSectors(ctx, plan, at, colours) {
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  ctx.font = `600 12px ${colours.font}`;
  for (const sector of plan.sectors) {
    const to = sector.from + sector.width;
    ctx.beginPath();
    ctx.arc(at.x, at.y, at.radius * 1.0, sector.from, to);
    ctx.arc(at.x, at.y, at.radius * 0.385, to, sector.from, true);
    ctx.closePath();
    ctx.fillStyle = colours.sector;
    ctx.fill();
    ctx.beginPath();
    ctx.arc(at.x, at.y, at.radius * 1.0, sector.from, to);
    ctx.strokeStyle = colours.line;
    ctx.lineWidth = 1.5;
    ctx.stroke();
    paintName(ctx, sector, at, colours);
  }
}

// Along the rim, never upside down.
function paintName(ctx, sector, at, colours) {
  const middle = sector.from + sector.width / 2;
  const text = `${sector.name} · ${sector.count}`;
  const isBelow = Math.sin(middle) > 0.02;
  const radius = at.radius + (isBelow ? 14 : 13);
  const width = ctx.measureText(text).width;
  if (width / radius > sector.width + 0.2) return;
  ctx.fillStyle = colours.dim;
  let angle = middle - ((isBelow ? -1 : 1) * width) / 2 / radius;
  for (const letter of text) {
    const step = ctx.measureText(letter).width / radius;
    angle += ((isBelow ? -1 : 1) * step) / 2;
    ctx.save();
    ctx.translate(at.x + radius * Math.cos(angle), at.y + radius * Math.sin(angle));
    ctx.rotate(angle + (isBelow ? -Math.PI / 2 : Math.PI / 2));
    ctx.fillText(letter, 0, 0);
    ctx.restore();
    angle += ((isBelow ? -1 : 1) * step) / 2;
  }
}

const LINE_STYLE = {
  home: ['relay', 1.6, []], attached: ['relay', 1, [3, 4]], relayed: ['relay', 2.2, [7, 4]],
  bad: ['bad', 1.6, [5, 4]],
};

// Through the relay, or a little towards the middle, so that two lines do not cover each other.
function bendOf(from, to, via, at) {
  const middle = { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
  if (via) return { x: 2 * via.x - middle.x, y: 2 * via.y - middle.y };
  return { x: (2 * middle.x + at.x) / 3, y: (2 * middle.y + at.y) / 3 };
}

function paintLines(ctx, plan, lines, at, colours, focus) {
  const spot = (id) => {
    const place = plan.places.get(id);
    return place && { x: at.x + place.x * at.radius, y: at.y + place.y * at.radius };
  };
  for (const line of lines) {
    const from = spot(line.from);
    const to = spot(line.to);
    if (!from || !to) continue;
    const [colour, width, dash] = LINE_STYLE[line.kind];
    const isNear = !focus || focus === line.from || focus === line.to;
    const bend = bendOf(from, to, spot(line.via), at);
    ctx.globalAlpha = isNear ? 0.85 : 0.2;
    ctx.beginPath();
    ctx.setLineDash(dash);
    ctx.moveTo(from.x, from.y);
    ctx.quadraticCurveTo(bend.x, bend.y, to.x, to.y);
    ctx.strokeStyle = colours[colour];
    ctx.lineWidth = width;
    ctx.stroke();
  }
  ctx.setLineDash([]);
  ctx.globalAlpha = 1;
}

function paintRelay(ctx, x, y, r, colour) {
  ctx.beginPath();
  for (let i = 0; i < 6; ++i) {
    const angle = (Math.PI / 3) * i;
    ctx.lineTo(x + r * 1.5 * Math.cos(angle), y + r * 1.5 * Math.sin(angle));
  }
  ctx.closePath();
  ctx.strokeStyle = colour;
  ctx.lineWidth = 2;
  ctx.stroke();
}

function paintMember(ctx, member, x, y, r, colours, marks) {
  const colour = colours[member.standing] || colours.dim;
  shape(ctx, member.standing, x, y, r);
  if (member.standing === 'left' || member.standing === 'dead') {
    ctx.strokeStyle = colour;
    ctx.lineWidth = member.standing === 'dead' ? Math.max(1.6, r * 0.5) : 1.6;
    ctx.stroke();
  } else {
    ctx.fillStyle = colour;
    ctx.fill();
  }
  if (isVoter(member)) ring(ctx, x, y, r + 3.5, colours.accent, 1.5);
  if (member.id === marks.leader) {
    ring(ctx, x, y, r + 7, colours.leader, 2.5);
    paintCrown(ctx, x, y - r - 9, Math.max(5, r * 0.8), colours.leader);
  }
  if (member.self) ring(ctx, x, y, r + 11, colours.text, 1, [2, 3]);
  if (member.id === marks.focus) ring(ctx, x, y, r + 5, colours.text, 2);
}

function paintCrown(ctx, x, y, size, colour) {
  ctx.beginPath();
  ctx.moveTo(x - size, y);
  ctx.lineTo(x - size, y - size);
  ctx.lineTo(x - size * 0.5, y - size * 0.45);
  ctx.lineTo(x, y - size * 1.25);
  ctx.lineTo(x + size * 0.5, y - size * 0.45);
  ctx.lineTo(x + size, y - size);
  ctx.lineTo(x + size, y);
  ctx.closePath();
  ctx.fillStyle = colour;
  ctx.fill();
}

export function paintMesh(ctx, size, plan, members, lines, colours, marks) {
  const at = scaleOf(size.width, size.height);
  const r = dotRadius(plan.spacing, at.radius);
  ctx.clearRect(0, 0, size.width, size.height);
  paintSectors(ctx, plan, at, colours);
  paintLines(ctx, plan, lines, at, colours, marks.focus);
  const hasNames = members.length <= LABELS_MAX;
  ctx.font = `${hasNames ? 12 : 11}px ${colours.font}`;
  for (const member of members) {
    const place = plan.places.get(member.id);
    if (!place) continue;
    const x = at.x + place.x * at.radius;
    const y = at.y + place.y * at.radius;
    paintMember(ctx, member, x, y, r, colours, marks);
    if (!hasNames && member.id !== marks.leader && member.id !== marks.focus) continue;
    ctx.fillStyle = member.id === marks.focus ? colours.text : colours.dim;
    ctx.fillText(member.id, x, y + r + 15);
  }
  for (const id of plan.relays) {
    const place = plan.places.get(id);
    const x = at.x + place.x * at.radius;
    const y = at.y + place.y * at.radius;
    paintRelay(ctx, x, y, Math.max(6, r), colours.relay);
    ctx.fillStyle = colours.relay;
    if (!members.some((member) => member.id === id)) ctx.fillText(id, x, y + r + 18);
  }
}

