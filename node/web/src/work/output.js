// A job's output put together from its parts. Pure.

export const LOG_KEPT = 128 * 1024; // characters

export const emptyLog = () => ({ text: '', next: null, fence: null, missing: 0, trouble: '' });

// `part`: a job.output document. Another attempt's begins anew.
export function addPart(log, part) {
  const isNew = log.fence !== part.fence;
  const gap = isNew ? 0 : Math.max(0, part.offset - log.next);
  const text = ((isNew || gap > 0 ? '' : log.text) + part.text).slice(-LOG_KEPT);
  return { text, next: part.next, fence: part.fence, trouble: '',
    missing: isNew || gap > 0 ? part.offset : log.missing };
}
