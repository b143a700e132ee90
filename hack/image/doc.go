// Command image builds a container image without a daemon or root. It is used by `make image` if docker, podman and
// buildah are missing, for releases, and for tests on the hack cluster.
//
//	image -dockerfile Dockerfile -file /limpet=bin/limpet -arch arm64 -tag limpet:dev -o limpet.tar
//
// The image is defined by the last stage of the Dockerfile, which must be FROM scratch. The files it copies are
// given by -file, or read from the same path on this machine. The archive is an OCI layout that `docker load`
// accepts. The same input produces the same bytes.
package main
