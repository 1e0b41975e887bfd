"""Settings of applications, recipes of images, workflows and manifests."""
