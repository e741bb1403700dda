/** Muted clips that go round; of a piece of a long video, only that piece. */

import { address, type ClipTable, thumbnail } from "./clips";
import { element } from "./dom";

export function film(table: ClipTable, clip: number, controls: boolean): HTMLVideoElement {
  const video = element("video", {
    src: address(table, clip),
    poster: thumbnail(clip),
    playsinline: true,
    loop: true,
    controls,
    preload: "auto",
    "aria-label": `Clip ${table.ids[clip]}, without sound`,
  });
  video.muted = true; // the attribute alone does not mute a video made by a script
  video.autoplay = true;
  const [start, end] = [table.starts[clip], table.ends[clip]];
  if (typeof start === "number" && typeof end === "number")
    video.addEventListener("timeupdate", () => {
      if (video.currentTime >= end || video.currentTime < start - 0.5) video.currentTime = start;
    });
  return video;
}

/** Stop loading, too: browsers keep few connections. */
export function stop(video: HTMLVideoElement): void {
  video.pause();
  video.removeAttribute("src");
  video.load();
  video.remove();
}

/** A small picture of a clip; a grey one where there is none. */
export function picture(clip: number): HTMLImageElement {
  const image = element("img", { src: thumbnail(clip), alt: "", loading: "lazy", decoding: "async" });
  image.addEventListener("error", () => image.classList.add("missing"));
  return image;
}
