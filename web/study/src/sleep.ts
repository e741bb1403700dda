export type Sleep = (milliseconds: number) => Promise<void>;

export const sleeping: Sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
