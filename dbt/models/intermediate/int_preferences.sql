with preferences as (

    select * from {{ ref('stg_preferences') }}

),

by_client as (

    select
        client_id,
        coalesce(
            list(subject order by subject) filter (where kind = 'exclude_symbol'), []
        ) as excluded_symbols,
        coalesce(
            list(subject order by subject) filter (where kind = 'exclude_class'), []
        ) as excluded_classes,
        min(limit_weight) filter (where kind = 'max_symbol_weight') as max_symbol_weight
    from preferences
    group by client_id

)

select * from by_client
order by client_id
