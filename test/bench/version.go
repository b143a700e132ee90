package main

import (
	"debug/buildinfo"
	"os/exec"
	"strings"
)

const unknownVersion = "version unknown"

// firstLine returns the first line of a program's version output.
func firstLine(program string, args ...string) func() string {
	return func() string {
		out, err := exec.Command(program, args...).CombinedOutput()
		if err != nil {
			return unknownVersion
		}
		line, _, _ := strings.Cut(string(out), "\n")
		return line
	}
}

// packageVersions returns the versions of Debian packages.
func packageVersions(names ...string) func() string {
	return func() string {
		out, err := exec.Command("dpkg-query", append([]string{"-W", "-f", "${Package} ${Version}\n"}, names...)...).Output()
		if err != nil {
			return unknownVersion
		}
		return strings.Join(strings.Split(strings.TrimSpace(string(out)), "\n"), ", ")
	}
}

// moduleVersion returns the version of the Go module that a program was built from.
func moduleVersion(program string) func() string {
	return func() string {
		path, err := exec.LookPath(program)
		if err != nil {
			return unknownVersion
		}
		info, err := buildinfo.ReadFile(path)
		if err != nil {
			return unknownVersion
		}
		return info.Main.Path + " " + info.Main.Version + ", " + info.GoVersion
	}
}
