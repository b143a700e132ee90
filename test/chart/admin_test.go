package chart

import (
	"path"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestChart_debugPagesOnLoopback(t *testing.T) {
	for name, c := range map[string]struct {
		args  []string
		trust string // --admin-trust-loopback
	}{
		"pod network":  {nil, ""},
		"node network": {[]string{"--values", "testdata/host/host-network.yaml"}, "false"},
	} {
		objects, complaint := template(t, append(c.args, "--set", "listeners.admin.port=9191")...)
		if complaint != "" {
			t.Fatal(complaint)
		}
		pods, _ := podTemplate(t, objects)
		args := pods.Spec.Containers[0].Args
		if got := value(args, "--admin-addr"); got != "127.0.0.1:9191" {
			t.Errorf("%s: --admin-addr is %q", name, got)
		}
		if got := value(args, "--admin-trust-loopback"); got != c.trust {
			t.Errorf("%s: --admin-trust-loopback is %q, want %q", name, got, c.trust)
		}
	}
}

func TestChart_adminToken(t *testing.T) {
	objects, complaint := template(t, "--set", "listeners.admin.tokenSecret=limpet-admin")
	if complaint != "" {
		t.Fatal(complaint)
	}
	pods, _ := podTemplate(t, objects)
	container, volumes := pods.Spec.Containers[0], map[string]*corev1.SecretVolumeSource{}
	for _, volume := range pods.Spec.Volumes {
		volumes[volume.Name] = volume.Secret
	}
	file := value(container.Args, "--admin-token-file")
	for _, mount := range container.VolumeMounts {
		secret := volumes[mount.Name]
		if secret != nil && secret.SecretName == "limpet-admin" && mount.ReadOnly && path.Join(mount.MountPath, secret.Items[0].Path) == file {
			return
		}
	}
	t.Errorf("no mount has the file %q: %v", file, container.VolumeMounts)
}
