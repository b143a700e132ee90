package main

import (
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
)

func TestUsageErrors_areShortWithAHint(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"misspelt flag": {
			[]string{"dev", "--manifest", "x"},
			"limpet: unknown flag: --manifest; did you mean --manifests?\nRun 'limpet dev --help' for usage.\n",
		},
		"single dash": {
			[]string{"dev", "-affinity-keys=x"},
			"limpet: unknown shorthand flag: 'a' in -affinity-keys=x; did you mean --affinity-keys?\nRun 'limpet dev --help' for usage.\n",
		},
		"single dash and -h": {
			[]string{"dev", "-https-addr=:1"},
			"limpet: unknown shorthand flag: 't' in -ttps-addr=:1; did you mean --https-addr?\nRun 'limpet dev --help' for usage.\n",
		},
		"unlike any flag": {
			[]string{"check", "--quite-another-thing"},
			"limpet: unknown flag: --quite-another-thing\nRun 'limpet check --help' for usage.\n",
		},
		"misspelt command": {
			[]string{"chek"},
			"limpet: unknown command \"chek\" for \"limpet\"\n\nDid you mean this?\n\tcheck\nRun 'limpet --help' for usage.\n",
		},
		"flag of no command": {
			[]string{"--http-addr", ":1"},
			"limpet: unknown flag: --http-addr\nRun 'limpet --help' for usage.\n",
		},
		"help of no command": {
			[]string{"help", "serve"},
			"limpet: unknown command \"serve\" for \"limpet\"\nRun 'limpet help --help' for usage.\n",
		},
		"missing flag": {
			[]string{"check"}, "limpet: -f or --cluster is required\nRun 'limpet check --help' for usage.\n",
		},
		"unreadable file": {
			[]string{"check", "-f", "/none"}, "limpet: reading manifests: lstat /none: no such file or directory\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			status, out, stderr := run(t, c.args...)
			if status != exitUsage || out != "" || stderr != c.want {
				t.Errorf("status %d, standard output %q, standard error:\n%s\nwant:\n%s", status, out, stderr, c.want)
			}
		})
	}
}

func TestHelp_isThereForEveryCommand(t *testing.T) {
	root := newRootCommand("limpet", streams{})
	for _, cmd := range root.Commands() {
		status, byFlag, _ := run(t, cmd.Name(), "--help")
		if status != 0 || !strings.Contains(byFlag, "limpet "+cmd.Name()) {
			t.Errorf("limpet %s --help: status %d:\n%s", cmd.Name(), status, byFlag)
		}
		if cmd.PreRunE != nil && (cmd.Example == "" || !strings.Contains(byFlag, "\nExamples:\n  ")) {
			t.Errorf("limpet %s --help has no examples:\n%s", cmd.Name(), byFlag)
		}
		if _, byCommand, _ := run(t, "help", cmd.Name()); byCommand != byFlag {
			t.Errorf("limpet help %s prints something else than --help:\n%s", cmd.Name(), byCommand)
		}
		for line := range strings.Lines(byFlag) {
			if len(line) > 125 {
				t.Errorf("limpet %s --help has a line of %d characters: %s", cmd.Name(), len(line), line)
			}
		}
	}
}

func TestHelp_namesTheKubectlPlugin(t *testing.T) {
	var out output
	if err := dispatch(t.Context(), []string{"/usr/bin/kubectl-limpet", "check", "--help"}, streams{&out, &out}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\n  kubectl limpet check [-f FILE|DIR] [--cluster] [flags]\n", "\n  kubectl limpet check -f shop\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in:\n%s", want, out.String())
		}
	}
}

func TestCompletion_scriptAndValues(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if status, out, _ := run(t, "completion", shell); status != 0 || !strings.Contains(out, "limpet") {
			t.Errorf("%s: status %d:\n%.200s", shell, status, out)
		}
	}
	if _, out, _ := run(t, "__complete", "dev", "--log-format", ""); !strings.HasPrefix(out, "json\ntext\n") {
		t.Errorf("--log-format is completed with:\n%s", out)
	}
}

func TestVersion_flagAndCommand(t *testing.T) {
	for _, arg := range []string{"version", "--version"} {
		if status, out, _ := run(t, arg); status != 0 || out != "limpet "+buildVersion()+"\n" {
			t.Errorf("limpet %s: status %d, printed %q", arg, status, out)
		}
	}
}

func TestVersion_isThatOfTheBuild(t *testing.T) {
	commit := func(modified string) []debug.BuildSetting {
		return []debug.BuildSetting{{Key: "vcs.revision", Value: "0123456789abcdef0123"}, {Key: "vcs.modified", Value: modified}}
	}
	for want, info := range map[string]*debug.BuildInfo{
		"v1.2.3":             {Main: debug.Module{Version: "v1.2.3"}, Settings: commit("true")},
		"0123456789ab":       {Main: debug.Module{Version: "(devel)"}, Settings: commit("false")},
		"0123456789ab-dirty": {Main: debug.Module{Version: "(devel)"}, Settings: commit("true")},
		"dev":                {Main: debug.Module{Version: "(devel)"}},
	} {
		if got := versionOf(info); got != want {
			t.Errorf("versionOf(%+v) = %q, want %q", info, got, want)
		}
	}
}

func TestUnknownVariables_withoutServiceLinks(t *testing.T) {
	environment := []string{
		"LIMPET_HTP_ADDR=:1", "LIMPET_QUITE_ANOTHER_THING=1", "LIMPET_HTTP_PORT=8080", "LIMPET_HTTP_ADDR=:1",
		"LIMPET_MANIFESTS=x", "LIMPET_KEY_ROTATION=1h", "LIMPETS=1", "PATH=/bin",
		// What Kubernetes sets for the Services limpet and limpet-metrics.
		"LIMPET_SERVICE_HOST=10.0.0.1", "LIMPET_SERVICE_PORT=80", "LIMPET_SERVICE_PORT_HTTP=80", "LIMPET_PORT=tcp://10.0.0.1:80",
		"LIMPET_PORT_80_TCP=tcp://10.0.0.1:80", "LIMPET_PORT_80_TCP_PROTO=tcp", "LIMPET_PORT_80_TCP_PORT=80",
		"LIMPET_PORT_80_TCP_ADDR=10.0.0.1", "LIMPET_METRICS_SERVICE_HOST=10.0.0.2", "LIMPET_METRICS_SERVICE_PORT_ADMIN=9090",
		"LIMPET_METRICS_PORT=tcp://10.0.0.2:9090", "LIMPET_METRICS_PORT_9090_TCP_ADDR=10.0.0.2",
	}
	var got []string
	for _, v := range unknownVariables(newRootCommand("limpet", streams{}), environment) {
		got = append(got, v.name+" "+v.nearest)
	}
	want := "LIMPET_HTP_ADDR LIMPET_HTTP_ADDR|LIMPET_QUITE_ANOTHER_THING |LIMPET_HTTP_PORT LIMPET_HTTP_ADDR"
	if strings.Join(got, "|") != want {
		t.Errorf("got %q, want %s", got, want)
	}
}

func TestUnknownVariables_areReported(t *testing.T) {
	t.Setenv("LIMPET_HTP_ADDR", ":1")
	dir := t.TempDir()
	write(t, dir, "a.yaml", "")
	_, _, stderr := run(t, "check", "-f", filepath.Join(dir, "a.yaml"))
	if want := "limpet: warning: unknown environment variable LIMPET_HTP_ADDR; did you mean LIMPET_HTTP_ADDR?\n"; !strings.Contains(stderr, want) {
		t.Errorf("check printed:\n%s\nwant %s", stderr, want)
	}
	p := start(t, "dev", "--manifests", dir, "--log-format", "json")
	p.stop(t)
	if want := `"msg":"Unknown environment variable","name":"LIMPET_HTP_ADDR","didYouMean":"LIMPET_HTTP_ADDR"`; !strings.Contains(p.err.String(), want) {
		t.Errorf("dev logged:\n%s\nwant %s", p.err.String(), want)
	}
}
