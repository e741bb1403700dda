/** Whether this device plays the clips: tried with a real one, before anybody has agreed to anything that takes time. */

/** Milliseconds within which a clip must show its first frames. */
const PATIENCE = 20_000;

/** Plays a clip out of sight of the participant's choice; resolves with why it does not play, or null. */
export function playbackFault(url: string, document_: Document = document): Promise<string | null> {
  return new Promise((resolve) => {
    const video = document_.createElement("video");
    video.muted = true;
    video.playsInline = true;
    video.preload = "auto";
    const end = (fault: string | null) => {
      clearTimeout(timer);
      video.removeAttribute("src");
      video.load();
      resolve(fault);
    };
    const timer = setTimeout(() => end("the clip did not load in time"), PATIENCE);
    video.addEventListener("canplay", () => end(null), { once: true });
    video.addEventListener("error", () => end(video.error?.message || "the clip does not play"), {
      once: true,
    });
    video.src = url;
    video.load();
  });
}
