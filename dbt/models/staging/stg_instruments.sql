with source as (

    select * from {{ source('lake', 'instruments') }}

),

renamed as (

    select
        source,
        symbol,
        name,
        asset_class,
        currency,
        expense_ratio_bps,
        substitute_group,
        reference_weight,
        tradable,
        known_at::timestamptz as known_at
    from source

),

known as (

    select renamed.*
    from renamed
    inner join {{ ref('stg_cut') }} as cut
        on renamed.source = cut.source
        and renamed.known_at <= cut.known_at_cut

)

select * from known
qualify {{ is_latest_version(['source', 'symbol']) }}
order by symbol
