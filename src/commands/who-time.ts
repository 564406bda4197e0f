/** Times as a reader wants them: his own clock's at a terminal, one that sorts and parses everywhere else. */

export function isoTime(second: number): string {
  return new Date(second * 1000).toISOString().replace(".000Z", "Z");
}

/** `2026-11-26 09:12:03 +01:00` */
export function localTime(second: number): string {
  const date = new Date(second * 1000);
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? "-" : "+"}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${zone}`;
}
