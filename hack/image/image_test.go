package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func realStage(t *testing.T) stage {
	t.Helper()
	text, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	s, err := lastStage(string(text), map[string]string{"VERSION": "1.2.3"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestImage_matchesDockerfile(t *testing.T) {
	s := realStage(t)
	want := config{
		User:         "65532:65532",
		ExposedPorts: map[string]struct{}{"8080/tcp": {}, "8443/tcp": {}, "9090/tcp": {}},
		Env:          []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		Entrypoint:   []string{"/limpet"},
		Cmd:          []string{"run"},
		Labels: map[string]string{
			"org.opencontainers.image.title":       "limpet",
			"org.opencontainers.image.description": "Kubernetes ingress controller that returns every client to its own pod",
			"org.opencontainers.image.version":     "1.2.3",
			"org.opencontainers.image.source":      "https://github.com/limpet-dev/limpet",
			"org.opencontainers.image.licenses":    "Apache-2.0",
		},
	}
	if diff := cmp.Diff(want, s.config); diff != "" {
		t.Error(diff)
	}
	copies := []fileCopy{
		{"/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/certs/ca-certificates.crt"}, {"/limpet", "/limpet"},
	}
	if diff := cmp.Diff(copies, s.copies, cmp.AllowUnexported(fileCopy{})); diff != "" {
		t.Error(diff)
	}
}

func TestDockerfile_errors(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"another base", "FROM debian:12\nCOPY a /a\n", `FROM "debian:12"`},
		{"no stage at all", "# nothing\n", `FROM ""`},
		{"a command", "FROM scratch\nRUN echo hello\n", "RUN echo hello"},
		{"several files", "FROM scratch\nCOPY a b /\n", "COPY a b /"},
		{"a relative target", "FROM scratch\nCOPY a b\n", "absolute"},
		{"an entry point for a shell", "FROM scratch\nENTRYPOINT /limpet run\n", "ENTRYPOINT"},
	} {
		if _, err := lastStage(c.text, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %s", c.name, err, c.want)
		}
	}
}

func TestArchive_isReproducible(t *testing.T) {
	if first, second := build(t), build(t); !bytes.Equal(first, second) {
		t.Error("two archives of the same files differ")
	}
}

func build(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	read := func(source string) ([]byte, error) { return []byte("content of " + source), nil }
	if err := writeArchive(&b, realStage(t), "arm64", "limpet:test", read); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestArchive_digests(t *testing.T) {
	files := untar(t, bytes.NewReader(build(t)))
	index := decode[manifest](t, files["index.json"])
	entry := index.Manifests[0]
	if *entry.Platform != (platform{"arm64", "linux"}) ||
		entry.Annotations["io.containerd.image.name"] != "docker.io/library/limpet:test" {
		t.Errorf("index = %+v", entry)
	}
	list := decode[manifest](t, blob(t, files, entry))
	built := decode[image](t, blob(t, files, *list.Config))
	if built.Architecture != "arm64" || !built.Created.Equal(epoch) || len(built.RootFS.DiffIDs) != 2 {
		t.Errorf("config = %+v", built)
	}
	for i, l := range list.Layers {
		unzipped, err := gzip.NewReader(bytes.NewReader(blob(t, files, l)))
		if err != nil {
			t.Fatal(err)
		}
		plain, err := io.ReadAll(unzipped)
		if err != nil || digest(plain) != built.RootFS.DiffIDs[i] {
			t.Errorf("layer %d has digest %s (%v), want %s", i, digest(plain), err, built.RootFS.DiffIDs[i])
		}
		c := realStage(t).copies[i]
		if got := untar(t, bytes.NewReader(plain))[strings.TrimPrefix(c.to, "/")]; string(got) != "content of "+c.from {
			t.Errorf("%s holds %q", c.to, got)
		}
	}
	docker := decode[[]dockerManifest](t, files["manifest.json"])[0]
	for _, name := range append(docker.Layers, docker.Config) {
		if files[name] == nil {
			t.Errorf("manifest.json references missing file %s", name)
		}
	}
}

func untar(t *testing.T, r io.Reader) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for archive := tar.NewReader(r); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.Uid != 0 || !header.ModTime.Equal(epoch) || header.Mode&0o022 != 0 {
			t.Errorf("%s: owner %d, mode %o, time %v", header.Name, header.Uid, header.Mode, header.ModTime)
		}
		if files[header.Name], err = io.ReadAll(archive); err != nil {
			t.Fatal(err)
		}
	}
}

func blob(t *testing.T, files map[string][]byte, d descriptor) []byte {
	t.Helper()
	content := files[blobPath(d.Digest)]
	if digest(content) != d.Digest || len(content) != d.Size {
		t.Fatalf("%s is %s of %d bytes, want %d", d.Digest, digest(content), len(content), d.Size)
	}
	return content
}

func decode[T any](t *testing.T, text []byte) (value T) {
	t.Helper()
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatal(err)
	}
	return value
}

func TestQualified(t *testing.T) {
	for tag, want := range map[string]string{
		"limpet:dev":              "docker.io/library/limpet:dev",
		"limpet-dev/limpet:1":     "docker.io/limpet-dev/limpet:1",
		"ghcr.io/a/limpet:1":      "ghcr.io/a/limpet:1",
		"localhost/limpet:1":      "localhost/limpet:1",
		"registry:5000/limpet:v1": "registry:5000/limpet:v1",
	} {
		if got := qualified(tag); got != want {
			t.Errorf("qualified(%q) = %q, want %q", tag, got, want)
		}
	}
}
