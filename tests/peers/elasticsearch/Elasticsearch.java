import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.jar.JarOutputStream;
import java.util.zip.ZipEntry;

import org.elasticsearch.Build;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.cluster.metadata.IndexNameExpressionResolver;
import org.elasticsearch.cluster.node.DiscoveryNodes;
import org.elasticsearch.common.io.stream.NamedWriteableRegistry;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.ClusterSettings;
import org.elasticsearch.common.settings.IndexScopedSettings;
import org.elasticsearch.common.settings.Setting;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.common.settings.SettingsFilter;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.env.Environment;
import org.elasticsearch.features.NodeFeature;
import org.elasticsearch.http.HttpServerTransport;
import org.elasticsearch.index.mapper.KeywordFieldMapper;
import org.elasticsearch.index.mapper.Mapper;
import org.elasticsearch.index.mapper.MapperParsingException;
import org.elasticsearch.index.mapper.TextFieldMapper;
import org.elasticsearch.ingest.AbstractProcessor;
import org.elasticsearch.ingest.ConfigurationUtils;
import org.elasticsearch.ingest.IngestDocument;
import org.elasticsearch.ingest.Processor;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.ActionPlugin;
import org.elasticsearch.plugins.IngestPlugin;
import org.elasticsearch.plugins.MapperPlugin;
import org.elasticsearch.plugins.PluginsLoader;
import org.elasticsearch.rest.BaseRestHandler;
import org.elasticsearch.rest.RestController;
import org.elasticsearch.rest.RestHandler;
import org.elasticsearch.rest.RestRequest;
import org.elasticsearch.rest.RestResponse;
import org.elasticsearch.rest.RestStatus;
import org.elasticsearch.transport.netty4.Netty4Plugin;
import org.elasticsearch.xcontent.NamedXContentRegistry;
import org.elasticsearch.xcontent.ParseField;
import org.elasticsearch.xcontent.XContentBuilder;
import org.elasticsearch.xcontent.XContentParser;
import org.elasticsearch.xcontent.XContentParserConfiguration;
import org.elasticsearch.xcontent.json.JsonXContent;
import org.elasticsearch.xpack.core.ilm.DeleteAction;
import org.elasticsearch.xpack.core.ilm.LifecycleAction;
import org.elasticsearch.xpack.core.ilm.LifecyclePolicy;
import org.elasticsearch.xpack.core.ilm.LifecycleSettings;
import org.elasticsearch.xpack.core.ilm.LifecycleType;
import org.elasticsearch.xpack.core.ilm.RolloverAction;
import org.elasticsearch.xpack.core.ilm.TimeseriesLifecycleType;
import org.elasticsearch.xpack.core.ilm.action.PutLifecycleRequest;

/**
 * Elasticsearch's server in one process: one node on a free port of the loopback address, without security, for tests.
 *
 * <p>Its argument is an empty folder for its data. It says {@code ready PORT} on stdout when it answers, and ends when stdin does.
 *
 * <p>Maven Central has the server without its modules. {@link Modules} takes the place of those that templates, pipelines and policies
 * name.
 */
public final class Elasticsearch {
    private Elasticsearch() {}

    public static void main(String[] arguments) throws Exception {
        Path home = Path.of(arguments[0]);
        Settings settings = Settings.builder()
            .put("path.home", home)
            .put("cluster.name", "whiskjack")
            .put("node.name", "whiskjack")
            .put("discovery.type", "single-node")
            .put("network.host", "127.0.0.1")
            .put("http.port", "0")
            .put("transport.port", "0")
            // Whatever else is on the disk: nothing here is kept.
            .put("cluster.routing.allocation.disk.threshold_enabled", false)
            .build();
        LogConfigurator.configureESLogging();
        Environment environment = InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), home, () -> "whiskjack");
        write(environment.modulesDir().resolve("whiskjack"));
        // Last: the server is on the class path, so it is not a module of Java.
        PluginsLoader modules =
            PluginsLoader.createPluginsLoader(PluginsLoader.loadModulesBundles(environment.modulesDir()), Set.of(), Map.of(), false);
        try (Node node = new Node(environment, modules)) {
            node.start();
            HttpServerTransport http = node.injector().getInstance(HttpServerTransport.class);
            InetSocketAddress address = http.boundAddress().publishAddress().address();
            System.out.println("ready " + address.getPort());
            System.out.flush();
            untilItsParentIsGone();
        }
        System.exit(0);
    }

    /** Writes the module as the server loads modules: a description, and a library with its classes. */
    private static void write(Path folder) throws IOException {
        Files.createDirectories(folder);
        Properties description = new Properties();
        description.setProperty("name", "whiskjack");
        description.setProperty("description", "Stands in for modules.");
        description.setProperty("version", Build.current().version());
        description.setProperty("elasticsearch.version", Build.current().version());
        description.setProperty("java.version", "17");
        description.setProperty("classname", Modules.class.getName());
        try (OutputStream file = Files.newOutputStream(folder.resolve("plugin-descriptor.properties"))) {
            description.store(file, null);
        }
        try (JarOutputStream library = new JarOutputStream(Files.newOutputStream(folder.resolve("whiskjack.jar")))) {
            for (Class<?> type : List.of(Modules.class, Root.class, Policies.class, Policy.class, KeptScript.class)) {
                String name = type.getName() + ".class";
                library.putNextEntry(new ZipEntry(name));
                try (InputStream bytes = Elasticsearch.class.getResourceAsStream(name)) {
                    bytes.transferTo(library);
                }
            }
        }
    }

    private static void untilItsParentIsGone() throws IOException {
        while (System.in.read() >= 0) {
            // What is said does not matter.
        }
    }

    /** The server's own HTTP, and what its modules would bring. */
    public static final class Modules extends Netty4Plugin implements ActionPlugin, IngestPlugin, MapperPlugin {
        /** Types of fields: their nearest relatives, with only those parameters that they themselves have. */
        @Override
        public Map<String, Mapper.TypeParser> getMappers() {
            return Map.of(
                "constant_keyword", as(KeywordFieldMapper.PARSER, Map.of(), "value", "meta"),
                "match_only_text", as(TextFieldMapper.PARSER, Map.of(), "fields", "meta"),
                // It takes texts of any length.
                "wildcard", as(KeywordFieldMapper.PARSER, Map.of("ignore_above", 8191), "ignore_above", "null_value", "meta"));
        }

        private static Mapper.TypeParser as(Mapper.TypeParser relative, Map<String, Object> more, String... parameters) {
            return (name, mapping, context) -> {
                Set<String> unknown = new TreeSet<>(mapping.keySet());
                unknown.removeAll(Set.of(parameters));
                unknown.remove("type");
                if (!unknown.isEmpty()) {
                    throw new MapperParsingException("unknown parameters " + unknown + " on [" + name + "]");
                }
                more.forEach(mapping::putIfAbsent);
                return relative.parse(name, mapping, context);
            };
        }

        /** The settings are those of Elasticsearch; nothing acts on them. */
        @Override
        public List<Setting<?>> getSettings() {
            List<Setting<?>> all = new ArrayList<>(super.getSettings());
            all.add(LifecycleSettings.LIFECYCLE_NAME_SETTING);
            return all;
        }

        @Override
        public Map<String, Processor.Factory> getProcessors(Processor.Parameters parameters) {
            return Map.of("script", (factories, tag, description, config) -> {
                for (String name : List.of("lang", "source")) {
                    ConfigurationUtils.readStringProperty("script", tag, config, name);
                }
                return new KeptScript(tag, description);
            });
        }

        @Override
        public Collection<RestHandler> getRestHandlers(
            Settings settings,
            NamedWriteableRegistry writeables,
            RestController controller,
            ClusterSettings clusterSettings,
            IndexScopedSettings indexSettings,
            SettingsFilter filter,
            IndexNameExpressionResolver resolver,
            Supplier<DiscoveryNodes> nodes,
            Predicate<NodeFeature> features
        ) {
            return List.of(new Root(), new Policies());
        }
    }

    /** A script, which is taken and not run. */
    static final class KeptScript extends AbstractProcessor {
        KeptScript(String tag, String description) {
            super(tag, description);
        }

        @Override
        public IngestDocument execute(IngestDocument document) {
            return document;
        }

        @Override
        public String getType() {
            return "script";
        }
    }

    /** Says which version it is. */
    static final class Root extends BaseRestHandler {
        @Override
        public String getName() {
            return "root";
        }

        @Override
        public List<Route> routes() {
            return List.of(new Route(RestRequest.Method.GET, "/"));
        }

        @Override
        protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) {
            return channel -> {
                XContentBuilder answer = channel.newBuilder().startObject();
                answer.startObject("version").field("number", Build.current().version()).endObject();
                channel.sendResponse(new RestResponse(RestStatus.OK, answer.endObject()));
            };
        }
    }

    /** Policies: read and checked by Elasticsearch's own code, then only kept. */
    static final class Policies extends BaseRestHandler {
        private static final NamedXContentRegistry KINDS = new NamedXContentRegistry(List.of(
            new NamedXContentRegistry.Entry(
                LifecycleType.class, new ParseField(TimeseriesLifecycleType.TYPE), parser -> TimeseriesLifecycleType.INSTANCE),
            new NamedXContentRegistry.Entry(LifecycleAction.class, new ParseField(RolloverAction.NAME), RolloverAction::parse),
            new NamedXContentRegistry.Entry(LifecycleAction.class, new ParseField(DeleteAction.NAME), DeleteAction::parse)));

        private final Map<String, LifecyclePolicy> kept = new ConcurrentHashMap<>();

        @Override
        public String getName() {
            return "policies";
        }

        @Override
        public List<Route> routes() {
            String path = "/_ilm/policy/{name}";
            return List.of(new Route(RestRequest.Method.GET, path), new Route(RestRequest.Method.PUT, path));
        }

        @Override
        protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) throws IOException {
            String name = request.param("name");
            if (request.method() == RestRequest.Method.PUT) {
                XContentParserConfiguration configuration = XContentParserConfiguration.EMPTY.withRegistry(KINDS);
                try (XContentParser parser = JsonXContent.jsonXContent.createParser(configuration, request.content().streamInput())) {
                    PutLifecycleRequest read = PutLifecycleRequest.parseRequest(new Policy(name), parser);
                    if (read.validate() != null) {
                        throw read.validate();
                    }
                    kept.put(name, read.getPolicy());
                }
            }
            LifecyclePolicy policy = kept.get(name);
            return channel -> {
                XContentBuilder answer = channel.newBuilder().startObject();
                if (policy != null) {
                    answer.startObject(name).field("policy", policy).endObject();
                }
                channel.sendResponse(new RestResponse(policy == null ? RestStatus.NOT_FOUND : RestStatus.OK, answer.endObject()));
            };
        }
    }

    /** A policy's name, and the request that brings it. */
    record Policy(String getPolicyName) implements PutLifecycleRequest.Factory {
        @Override
        public PutLifecycleRequest create(LifecyclePolicy policy) {
            return new PutLifecycleRequest(TimeValue.ZERO, TimeValue.ZERO, policy);
        }
    }
}
