import { expect, test, vi } from "vitest";
import { randomId } from "../src/random-id";

test("ids are UUIDs of version 4, all different, without a secure context", () => {
  vi.stubGlobal("crypto", { getRandomValues: crypto.getRandomValues.bind(crypto) });
  const made = new Set(Array.from({ length: 1000 }, randomId));
  expect(made.size).toBe(1000);
  for (const one of made)
    expect(one).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
