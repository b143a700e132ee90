package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"strings"
	"time"
)

// Media types of the OCI image specification 1.1.
const (
	typeIndex    = "application/vnd.oci.image.index.v1+json"
	typeManifest = "application/vnd.oci.image.manifest.v1+json"
	typeConfig   = "application/vnd.oci.image.config.v1+json"
	typeLayer    = "application/vnd.oci.image.layer.v1.tar+gzip"
)

// epoch is the time of everything in an image, to make builds reproducible.
var epoch = time.Unix(0, 0).UTC()

type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	Platform    *platform         `json:"platform,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

type platform struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
}

type manifest struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Config        *descriptor  `json:"config,omitempty"`
	Layers        []descriptor `json:"layers,omitempty"`
	Manifests     []descriptor `json:"manifests,omitempty"`
}

type image struct {
	platform
	Created time.Time `json:"created"`
	Config  config    `json:"config"`
	RootFS  rootFS    `json:"rootfs"`
}

type rootFS struct {
	Type    string   `json:"type"`
	DiffIDs []string `json:"diff_ids"`
}

// dockerManifest is manifest.json, which `docker load` reads.
type dockerManifest struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// writeArchive writes an image with one layer for each file that the stage copies.
func writeArchive(w io.Writer, s stage, arch, tag string, read func(source string) ([]byte, error)) error {
	a := archive{tar.NewWriter(w)}
	of := platform{arch, "linux"}
	built := image{platform: of, Created: epoch, Config: s.config, RootFS: rootFS{Type: "layers"}}
	docker := dockerManifest{RepoTags: []string{tag}}
	list := manifest{SchemaVersion: 2, MediaType: typeManifest}
	for _, c := range s.copies {
		content, err := read(c.from)
		if err != nil {
			return fmt.Errorf("copying %s to %s: %w", c.from, c.to, err)
		}
		plain := layer(c.to, content)
		built.RootFS.DiffIDs = append(built.RootFS.DiffIDs, digest(plain))
		d := a.blob(typeLayer, compress(plain))
		list.Layers, docker.Layers = append(list.Layers, d), append(docker.Layers, blobPath(d.Digest))
	}
	about := a.blob(typeConfig, encode(built))
	list.Config, docker.Config = &about, blobPath(about.Digest)
	entry := a.blob(typeManifest, encode(list))
	entry.Platform = &of
	// The image name: containerd reads the first annotation, others the second.
	entry.Annotations = map[string]string{"io.containerd.image.name": qualified(tag), "org.opencontainers.image.ref.name": tag}
	a.file("index.json", encode(manifest{SchemaVersion: 2, MediaType: typeIndex, Manifests: []descriptor{entry}}))
	a.file("manifest.json", encode([]dockerManifest{docker}))
	a.file("oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`))
	return a.tar.Close()
}

// archive writes a tar file. Errors are reported by Close.
type archive struct{ tar *tar.Writer }

func (a archive) blob(mediaType string, content []byte) descriptor {
	d := descriptor{MediaType: mediaType, Digest: digest(content), Size: len(content)}
	a.file(blobPath(d.Digest), content)
	return d
}

func (a archive) file(name string, content []byte) { addFile(a.tar, name, 0o644, content) }

// addFile ignores errors, because tar.Writer returns them from Close.
func addFile(w *tar.Writer, name string, mode int64, content []byte) {
	_ = w.WriteHeader(&tar.Header{Name: name, Mode: mode, Size: int64(len(content)), ModTime: epoch, Format: tar.FormatUSTAR})
	_, _ = w.Write(content)
}

// layer returns a tar of one file with mode 0755 and its parent directories.
func layer(to string, content []byte) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b) // cannot fail
	name := strings.TrimPrefix(to, "/")
	for _, dir := range parents(name) {
		_ = w.WriteHeader(&tar.Header{Name: dir + "/", Mode: 0o755, ModTime: epoch, Typeflag: tar.TypeDir, Format: tar.FormatUSTAR})
	}
	addFile(w, name, 0o755, content)
	_ = w.Close()
	return b.Bytes()
}

// parents returns the parent directories of a relative path, outermost first.
func parents(name string) []string {
	dir := path.Dir(name)
	if dir == "." {
		return nil
	}
	return append(parents(dir), dir)
}

func compress(content []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b) // no name and time in the header
	_, _ = w.Write(content) // cannot fail
	_ = w.Close()
	return b.Bytes()
}

func encode(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // cannot happen with these types
	}
	return text
}

func digest(content []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(content)) }

func blobPath(digest string) string { return "blobs/sha256/" + strings.TrimPrefix(digest, "sha256:") }

// qualified returns the name with the default registry, as a kubelet resolves it.
func qualified(tag string) string {
	host, _, found := strings.Cut(tag, "/")
	switch {
	case !found:
		return "docker.io/library/" + tag
	case strings.ContainsAny(host, ".:") || host == "localhost":
		return tag
	}
	return "docker.io/" + tag
}
