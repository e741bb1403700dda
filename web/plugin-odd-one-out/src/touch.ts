/** Whether the device is touched and has neither mouse nor trackpad, and so perhaps no keys. */
export function isTouched(): boolean {
  return window.matchMedia?.("(hover: none) and (pointer: coarse)").matches ?? false;
}
