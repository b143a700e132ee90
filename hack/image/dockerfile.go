package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"strings"
)

// stage is one parsed stage of a Dockerfile.
type stage struct {
	copies []fileCopy
	config config
	args   map[string]string
}

// fileCopy is a file of the image. to is its absolute path in the image.
type fileCopy struct{ from, to string }

// config is the part of the OCI image configuration that a Dockerfile sets.
type config struct {
	User         string              `json:"User,omitempty"`
	ExposedPorts map[string]struct{} `json:"ExposedPorts,omitempty"`
	Env          []string            `json:"Env,omitempty"`
	Entrypoint   []string            `json:"Entrypoint,omitempty"`
	Cmd          []string            `json:"Cmd,omitempty"`
	Labels       map[string]string   `json:"Labels,omitempty"`
}

// lastStage parses the last stage of a Dockerfile, which must be FROM scratch. Unsupported instructions are errors,
// so that the image always matches the Dockerfile.
func lastStage(text string, buildArgs map[string]string) (stage, error) {
	var s stage
	base := ""
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
		instruction, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		rest = strings.TrimSpace(rest)
		switch {
		case instruction == "" || strings.HasPrefix(instruction, "#"):
		case instruction == "FROM":
			base = rest
			s = stage{args: map[string]string{}, config: config{
				ExposedPorts: map[string]struct{}{}, Labels: map[string]string{},
				// Docker sets PATH in every image, even FROM scratch.
				Env: []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
			}}
		case base == "scratch":
			if err := s.apply(instruction, rest, buildArgs); err != nil {
				return stage{}, fmt.Errorf("%s %s: %w", instruction, rest, err)
			}
		}
	}
	if base != "scratch" {
		return stage{}, fmt.Errorf("the last stage is FROM %q, want scratch", base)
	}
	return s, nil
}

func (s *stage) apply(instruction, rest string, buildArgs map[string]string) error {
	rest = os.Expand(rest, func(name string) string { return s.args[name] })
	switch instruction {
	case "ARG":
		name, value, _ := strings.Cut(rest, "=")
		if given, ok := buildArgs[name]; ok {
			value = given
		}
		s.args[name] = value
	case "COPY":
		return s.copy(strings.Fields(rest))
	case "USER":
		s.config.User = rest
	case "EXPOSE":
		for _, port := range strings.Fields(rest) {
			s.config.ExposedPorts[port+"/tcp"] = struct{}{}
		}
	case "LABEL":
		name, value, _ := strings.Cut(rest, "=")
		s.config.Labels[name] = strings.Trim(value, `"`)
	case "ENTRYPOINT":
		return json.Unmarshal([]byte(rest), &s.config.Entrypoint)
	case "CMD":
		return json.Unmarshal([]byte(rest), &s.config.Cmd)
	default:
		return fmt.Errorf("unsupported instruction; supported are ARG, CMD, COPY, ENTRYPOINT, EXPOSE, LABEL and USER")
	}
	return nil
}

func (s *stage) copy(words []string) error {
	if len(words) > 0 && strings.HasPrefix(words[0], "--from=") {
		words = words[1:]
	}
	if len(words) != 2 || !path.IsAbs(words[1]) {
		return fmt.Errorf("%q: want one file and an absolute path", words)
	}
	to := words[1]
	if strings.HasSuffix(to, "/") {
		to += path.Base(words[0])
	}
	s.copies = append(s.copies, fileCopy{words[0], path.Clean(to)})
	return nil
}
