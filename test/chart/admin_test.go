package chart

import (
	"fmt"
	"path"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
)

func TestChart_adminListener(t *testing.T) {
	for name, c := range map[string]struct {
		args  []string
		addr  string
		trust string // --admin-trust-loopback
	}{
		"pod network":  {nil, "127.0.0.1:9191", ""},
		"exposed":      {[]string{"--set", "listeners.admin.expose=true"}, ":9191", ""},
		"node network": {[]string{"--values", "testdata/host/host-network.yaml"}, "127.0.0.1:9191", "false"},
	} {
		objects, complaint := template(t, append(c.args, "--set", "listeners.admin.port=9191")...)
		if complaint != "" {
			t.Fatal(complaint)
		}
		pods, _ := podTemplate(t, objects)
		args := pods.Spec.Containers[0].Args
		if got := value(args, "--admin-addr"); got != c.addr {
			t.Errorf("%s: --admin-addr is %q, want %q", name, got, c.addr)
		}
		if got := value(args, "--admin-trust-loopback"); got != c.trust {
			t.Errorf("%s: --admin-trust-loopback is %q, want %q", name, got, c.trust)
		}
	}
}

func TestChart_adminTokens(t *testing.T) {
	objects, complaint := template(t, "--set", "listeners.admin.tokenSecret=readers,listeners.admin.controlTokenSecret=operators")
	if complaint != "" {
		t.Fatal(complaint)
	}
	pods, _ := podTemplate(t, objects)
	container, volumes := pods.Spec.Containers[0], map[string]*corev1.SecretVolumeSource{}
	for _, volume := range pods.Spec.Volumes {
		volumes[volume.Name] = volume.Secret
	}
	secretOf := map[string]string{}
	for _, mount := range container.VolumeMounts {
		if secret := volumes[mount.Name]; secret != nil && mount.ReadOnly {
			secretOf[path.Join(mount.MountPath, secret.Items[0].Path)] = secret.SecretName
		}
	}
	for flag, want := range map[string]string{"--admin-token-file": "readers", "--admin-control-token-file": "operators"} {
		if file := value(container.Args, flag); secretOf[file] != want {
			t.Errorf("%s=%s has Secret %q, want %q", flag, file, secretOf[file], want)
		}
	}
}

func TestChart_tokenReview(t *testing.T) {
	roles := map[string][]string{"edge-limpet-admin-read": {"get"}, "edge-limpet-admin-control": {"get", "update"}}
	for _, enabled := range []bool{false, true} {
		objects, complaint := template(t, "--set", fmt.Sprintf("listeners.admin.tokenReview=%v", enabled))
		if complaint != "" {
			t.Fatal(complaint)
		}
		found := 0
		for _, o := range objects {
			switch o := o.(type) {
			case *rbacv1.ClusterRoleBinding:
				if o.RoleRef.Name == "system:auth-delegator" && o.Subjects[0].Name == "edge-limpet" {
					found++
				}
			case *rbacv1.Role:
				if verbs := roles[o.Name]; verbs != nil && slices.Equal(o.Rules[0].Verbs, verbs) && o.Rules[0].Resources[0] == "admin" {
					found++
				}
			}
		}
		pods, _ := podTemplate(t, objects)
		isFlag := slices.Contains(pods.Spec.Containers[0].Args, "--admin-token-review")
		if want := map[bool]int{true: 3}[enabled]; found != want || isFlag != enabled {
			t.Errorf("enabled %v: %d of %d objects, flag %v", enabled, found, want, isFlag)
		}
	}
}
