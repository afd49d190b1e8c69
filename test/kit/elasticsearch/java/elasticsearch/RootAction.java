package remora.fixture;

import java.io.IOException;
import java.util.List;
import org.elasticsearch.Build;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.cluster.service.ClusterService;
import org.elasticsearch.rest.BaseRestHandler;
import org.elasticsearch.rest.RestRequest;
import org.elasticsearch.rest.RestResponse;
import org.elasticsearch.rest.RestStatus;

/** Answers GET / and HEAD /, which the published distribution leaves to a module it does not contain. */
final class RootAction extends BaseRestHandler {
    private final ClusterService cluster;

    RootAction(ClusterService cluster) {
        this.cluster = cluster;
    }

    @Override
    public String getName() {
        return "remora_root_action";
    }

    @Override
    public List<Route> routes() {
        return List.of(new Route(RestRequest.Method.GET, "/"), new Route(RestRequest.Method.HEAD, "/"));
    }

    @Override
    protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) throws IOException {
        return channel -> {
            var build = Build.current();
            var json = channel.newBuilder().prettyPrint().startObject();
            json.field("name", cluster.getNodeName());
            json.field("cluster_name", cluster.getClusterName().value());
            json.field("cluster_uuid", cluster.state().metadata().clusterUUID());
            json.startObject("version");
            json.field("number", build.qualifiedVersion());
            json.field("build_flavor", build.flavor());
            json.field("build_type", build.type().displayName());
            json.field("build_hash", build.hash());
            json.field("build_date", build.date());
            json.field("build_snapshot", build.isSnapshot());
            json.field("lucene_version", org.apache.lucene.util.Version.LATEST.toString());
            json.field("minimum_wire_compatibility_version", build.minWireCompatVersion());
            json.field("minimum_index_compatibility_version", build.minIndexCompatVersion());
            json.endObject();
            json.field("tagline", "You Know, for Search");
            json.endObject();
            channel.sendResponse(new RestResponse(RestStatus.OK, json));
        };
    }
}
