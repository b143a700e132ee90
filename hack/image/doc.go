// Command image assembles a container image without a daemon or root: for `make image` where neither docker, podman nor
// buildah runs, for releases, and for tests that need images on the hack cluster.
//
//	image -dockerfile Dockerfile -file /limpet=bin/limpet -arch arm64 -tag limpet:dev -o limpet.tar
//
// What is in the image is said by the last stage of the Dockerfile, and there only; that stage must be FROM scratch.
// What it copies from another stage or from the build context is named by -file, or is the file of that name on this
// machine. The archive is an OCI layout that `docker load` reads too, and the same input gives the same bytes.
package main
