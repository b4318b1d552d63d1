import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

import org.opensearch.analysis.common.CommonAnalysisPlugin;
import org.opensearch.common.settings.Settings;
import org.opensearch.http.HttpServerTransport;
import org.opensearch.index.mapper.MapperExtrasPlugin;
import org.opensearch.ingest.common.IngestCommonPlugin;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.painless.PainlessPlugin;
import org.opensearch.plugins.Plugin;
import org.opensearch.transport.Netty4Plugin;

/**
 * A real OpenSearch in one process: one node on a free port of the loopback address, without security, for tests.
 *
 * <p>Its argument is an empty folder for its data. It says {@code ready PORT} on stdout when it answers, and ends when stdin does.
 */
public final class SearchEngine {
    private SearchEngine() {}

    /** A node with plugins of the class path, which the public constructor does not take. */
    private static final class Engine extends Node {
        Engine(Settings settings, Path home, List<Class<? extends Plugin>> plugins) {
            super(InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), home, () -> "whiskjack"), plugins, false);
        }
    }

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
            .put("transport.type", "netty4")
            .put("http.type", "netty4")
            // Whatever else is on the disk: nothing here is kept.
            .put("cluster.routing.allocation.disk.threshold_enabled", false)
            .build();
        try (Node node = new Engine(settings, home, List.of(
                Netty4Plugin.class, CommonAnalysisPlugin.class, IngestCommonPlugin.class,
                MapperExtrasPlugin.class, PainlessPlugin.class))) {
            node.start();
            HttpServerTransport http = node.injector().getInstance(HttpServerTransport.class);
            InetSocketAddress address = http.boundAddress().publishAddress().address();
            System.out.println("ready " + address.getPort());
            System.out.flush();
            untilItsParentIsGone();
        }
        System.exit(0);
    }

    private static void untilItsParentIsGone() throws IOException {
        while (System.in.read() >= 0) {
            // What is said does not matter.
        }
    }
}
