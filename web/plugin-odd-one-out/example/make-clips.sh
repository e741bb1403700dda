#!/bin/sh
# Three clips of two seconds in example/clips/; needs ffmpeg.
set -eu
cd "$(dirname "$0")"
mkdir -p clips
for colour in red green blue; do
  ffmpeg -loglevel error -y -f lavfi -i "testsrc=size=320x240:rate=30:duration=2,drawbox=color=$colour@0.5:t=fill" \
    -c:v libx264 -pix_fmt yuv420p -movflags +faststart "clips/$colour.mp4"
done
