package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// proxy serves /init and /run for one action.
type proxy struct {
	base         string
	waitForAck   bool
	deadlineKill bool
	executionEnv string

	// Held for a whole request: the platform never overlaps them when concurrency is 1.
	serving sync.Mutex
	// Counts attempts to initialise: each gets a directory of its own.
	attempts    int
	initialized bool

	// Guards action against stop, which must not wait for a run.
	mutex   sync.Mutex
	action  *action
	stopped bool
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		replyError(w, http.StatusBadRequest, err.Error())
		return
	}
	p.serving.Lock()
	defer p.serving.Unlock()
	switch r.URL.Path {
	case "/init":
		p.init(w, body)
	case "/run":
		p.run(w, body)
	default:
		http.NotFound(w, r)
	}
}

type initRequest struct {
	Value struct {
		Code   string                     `json:"code"`
		Binary bool                       `json:"binary"`
		Env    map[string]json.RawMessage `json:"env"`
	} `json:"value"`
}

func (p *proxy) init(w http.ResponseWriter, body []byte) {
	if p.initialized {
		replyError(w, http.StatusForbidden, "Cannot initialize the action more than once.")
		return
	}
	var request initRequest
	if err := json.Unmarshal(body, &request); err != nil {
		replyError(w, http.StatusBadRequest, "the body is not what is expected: "+err.Error())
		return
	}
	if request.Value.Code == "" {
		replyError(w, http.StatusForbidden, "Missing main/no code to execute.")
		return
	}
	code := []byte(request.Value.Code)
	if request.Value.Binary {
		decoded, err := base64.StdEncoding.DecodeString(request.Value.Code)
		if err != nil {
			replyError(w, http.StatusBadRequest, "the code is not base64: "+err.Error())
			return
		}
		code = decoded
	}

	p.attempts++
	executable := filepath.Join("action", strconv.Itoa(p.attempts), "bin", "exec")
	if err := unpack(code, filepath.Join(p.base, filepath.Dir(executable))); err != nil {
		replyError(w, http.StatusBadGateway, err.Error())
		return
	}
	// A missing file shows when it is started.
	_ = os.Chmod(filepath.Join(p.base, executable), 0o755)
	if err := p.checkExecutionEnv(filepath.Join(p.base, filepath.Dir(executable))); err != nil {
		replyError(w, http.StatusBadGateway, "cannot start action: "+err.Error())
		return
	}
	if err := p.start(executable, p.environment(request.Value.Env)); err != nil {
		replyError(w, http.StatusBadGateway, "cannot start action: "+err.Error())
		return
	}
	p.initialized = true
	reply(w, http.StatusOK, []byte("{\"ok\":true}\n"))
}

// checkExecutionEnv compares exec.env with what the image demands, if it does. The original's documentation says prefix, its code
// says equal but for white space around.
func (p *proxy) checkExecutionEnv(dir string) error {
	if p.executionEnv == "" {
		return nil
	}
	text, err := os.ReadFile(filepath.Join(dir, "exec.env"))
	if err != nil {
		return err
	}
	if strings.TrimSpace(string(text)) != p.executionEnv {
		return errors.New("Execution environment version mismatch. See logs for details.")
	}
	return nil
}

func (p *proxy) start(executable string, environment []string) error {
	started, err := start(p.base, executable, environment)
	if err != nil {
		return err
	}
	p.setAction(started)
	if err := started.ready(p.waitForAck); err != nil {
		started.kill()
		p.setAction(nil)
		return err
	}
	return nil
}

// environment is all that the action sees: nothing is inherited but what the platform names.
func (p *proxy) environment(init map[string]json.RawMessage) []string {
	variables := map[string]string{"__OW_PROXY_VERSION": "whiskjack-tests"}
	if p.waitForAck {
		variables["__OW_WAIT_FOR_ACK"] = "true"
	}
	if p.executionEnv != "" {
		variables["__OW_EXECUTION_ENV"] = p.executionEnv
	}
	for _, variable := range os.Environ() {
		if strings.HasPrefix(variable, "__OW_") {
			// Cut at a second "=", as the original does.
			parts := strings.Split(variable, "=")
			variables[parts[0]] = parts[1]
		}
	}
	for name, value := range init {
		var text string
		if json.Unmarshal(value, &text) != nil {
			text = string(value)
		}
		variables[name] = text
	}
	list := make([]string, 0, len(variables))
	for name, value := range variables {
		list = append(list, name+"="+value)
	}
	return list
}

func (p *proxy) run(w http.ResponseWriter, body []byte) {
	running := p.currentAction()
	if running == nil {
		replyError(w, http.StatusInternalServerError, "no action defined yet")
		return
	}
	// The original notices this only once, and hangs in the run after that.
	if running.hasExited() {
		replyError(w, http.StatusInternalServerError, "command exited")
		return
	}
	if timer := p.limit(running, body); timer != nil {
		defer timer.Stop()
	}
	answer, err := running.run(bytes.ReplaceAll(body, []byte("\n"), nil))
	if err != nil {
		// Also one that has only closed fd 3: the original waits for that one until the container is destroyed.
		running.kill()
		p.setAction(nil)
		replyError(w, http.StatusBadRequest, "command exited")
		return
	}
	if !isObjectOrArray(answer) {
		replyError(w, http.StatusBadGateway, "The action did not return a dictionary or array.")
		return
	}
	reply(w, http.StatusOK, answer)
}

// limit kills the action at the deadline in the body, if that is wanted: the invoker does it by destroying the container.
func (p *proxy) limit(running *action, body []byte) *time.Timer {
	if !p.deadlineKill {
		return nil
	}
	var context struct {
		Deadline json.Number `json:"deadline"`
	}
	if json.Unmarshal(body, &context) != nil {
		return nil
	}
	deadline, err := context.Deadline.Int64()
	if err != nil {
		return nil
	}
	return time.AfterFunc(time.Until(time.UnixMilli(deadline)), running.kill)
}

func (p *proxy) currentAction() *action {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.action
}

func (p *proxy) setAction(current *action) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.action = current
	if p.stopped && current != nil {
		current.kill()
	}
}

// stop kills the action, also one that is being started.
func (p *proxy) stop() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.stopped = true
	if p.action != nil {
		p.action.kill()
	}
}

func isObjectOrArray(text []byte) bool {
	var object map[string]json.RawMessage
	var array []json.RawMessage
	return json.Unmarshal(text, &object) == nil || json.Unmarshal(text, &array) == nil
}

func replyError(w http.ResponseWriter, status int, message string) {
	body, err := json.Marshal(map[string]string{"error": message})
	if err != nil {
		body = []byte("{}")
	}
	reply(w, status, append(body, '\n'))
}

// reply always says how long the body is: the invoker takes a chunked one for no answer.
func reply(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
